//! What a CSV file must be before its rows can be trusted: text in UTF-8, with commas, as wide as its heading.

use csv::ByteRecord;

/// Whether the heading is one of a file with commas.
///
/// # Errors
/// A sentence that says what the file is instead.
pub(crate) fn check(heading: &ByteRecord) -> Result<(), String> {
    let bytes = heading.as_slice();
    let is_wide = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    if is_wide || bytes.contains(&0) {
        return Err("the file is in UTF-16: save it as UTF-8".to_owned());
    }
    if heading.len() > 1 {
        return Ok(());
    }
    for (separator, called) in [(b';', "semicolons"), (b'\t', "tabs")] {
        if bytes.contains(&separator) {
            return Err(format!(
                "the heading has no comma; this looks like a file separated by {called}: \
                 save it with commas, and amounts as 1234.50"
            ));
        }
    }
    Ok(())
}

/// Why a row cannot be used that is not as wide as the heading: nobody knows which field is which.
///
/// # Errors
/// If it is not.
pub(crate) fn same_width(fields: usize, heading: usize) -> Result<(), String> {
    if fields == heading {
        return Ok(());
    }
    let counted = if fields == 1 { "field" } else { "fields" };
    Err(format!(
        "the row has {fields} {counted} and the heading {heading}: \
         write amounts as 1234.50, and put texts that have commas in double quotes"
    ))
}

#[cfg(test)]
mod tests {
    use csv::ByteRecord;

    use super::{check, same_width};

    #[test]
    fn a_file_of_another_kind_is_called_by_its_name() {
        let said = |fields: &[&[u8]]| check(&ByteRecord::from(fields.to_vec())).unwrap_err();
        assert!(said(&[b"customer_id;date;amount"]).contains("semicolons"));
        assert!(said(&[b"customer_id\tdate"]).contains("tabs"));
        assert!(said(&[b"\xff\xfec\0u\0"]).contains("UTF-16"));
        assert!(said(&[b"c\0u\0s\0", b"\0d\0"]).contains("UTF-16"));
        assert_eq!(check(&ByteRecord::from(vec!["customer_id"])), Ok(()));
        assert_eq!(check(&ByteRecord::from(vec!["a;b", "c"])), Ok(()));
    }

    #[test]
    fn a_row_is_as_wide_as_the_heading() {
        assert_eq!(same_width(3, 3), Ok(()));
        assert!(same_width(4, 3).unwrap_err().contains("has 4 fields"));
        assert!(same_width(1, 3).unwrap_err().contains("has 1 field "));
    }
}
