//! Which column of a file means what.

/// Where the columns of a purchases file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) customer_id: usize,
    pub(crate) occurred_at: usize,
    pub(crate) amount: usize,
    /// From a column `currency`.
    pub(crate) currency: Option<usize>,
    /// From the heading `amount_usd`.
    pub(crate) currency_in_heading: Option<String>,
    pub(crate) purchase_id: Option<usize>,
    pub(crate) contribution_margin: Option<usize>,
    pub(crate) ignored: Vec<String>,
}

const EXPECTED: &str = "expected customer_id, date (or occurred_at), amount (or amount_usd and the like), \
     and optionally currency, purchase_id, contribution_margin";

impl Columns {
    /// Reads the heading.
    ///
    /// # Errors
    /// A sentence that names what is missing or doubled.
    pub(crate) fn read<'a>(heading: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let names: Vec<String> = heading
            .map(|name| {
                name.trim_start_matches('\u{feff}')
                    .trim()
                    .to_ascii_lowercase()
            })
            .collect();
        let find = |wanted: &[&str]| -> Result<Option<usize>, String> {
            let mut found = names
                .iter()
                .enumerate()
                .filter(|(_, name)| wanted.contains(&name.as_str()));
            match (found.next(), found.next()) {
                (Some((first, _)), None) => Ok(Some(first)),
                (None, _) => Ok(None),
                (Some((_, first)), Some((_, second))) => Err(format!(
                    "the columns {first} and {second} mean the same; {EXPECTED}"
                )),
            }
        };
        let missing = |name: &str| format!("there is no column {name}; {EXPECTED}");
        let with_currency = names.iter().position(|name| {
            name.strip_prefix("amount_")
                .is_some_and(|code| code.len() == 3)
        });
        let amount = find(&["amount"])?;
        if let (Some(_), Some(other)) = (amount, with_currency) {
            let other = names.get(other).cloned().unwrap_or_default();
            return Err(format!(
                "the columns amount and {other} mean the same; {EXPECTED}"
            ));
        }
        let columns = Self {
            customer_id: find(&["customer_id"])?.ok_or_else(|| missing("customer_id"))?,
            occurred_at: find(&["date", "occurred_at"])?.ok_or_else(|| missing("date"))?,
            amount: amount.or(with_currency).ok_or_else(|| missing("amount"))?,
            currency: find(&["currency", "currency_code"])?,
            currency_in_heading: with_currency
                .and_then(|at| names.get(at))
                .and_then(|name| name.strip_prefix("amount_"))
                .map(str::to_ascii_uppercase),
            purchase_id: find(&["purchase_id"])?,
            contribution_margin: find(&["contribution_margin"])?,
            ignored: Vec::new(),
        };
        let used = [
            Some(columns.customer_id),
            Some(columns.occurred_at),
            Some(columns.amount),
            columns.currency,
            columns.purchase_id,
            columns.contribution_margin,
        ];
        let rest = names
            .iter()
            .enumerate()
            .filter(|(at, _)| !used.contains(&Some(*at)));
        let ignored = rest.map(|(_, name)| name.clone()).collect();
        Ok(Self { ignored, ..columns })
    }
}

#[cfg(test)]
mod tests {
    use super::Columns;

    #[test]
    fn a_heading_may_carry_the_currency_and_more_than_is_needed() {
        let columns = Columns::read("customer_id,date,units,amount_usd".split(',')).unwrap();
        assert_eq!(
            (columns.customer_id, columns.occurred_at, columns.amount),
            (0, 1, 3)
        );
        assert_eq!(columns.currency_in_heading.as_deref(), Some("USD"));
        assert_eq!(columns.ignored, ["units"]);
    }

    #[test]
    fn the_order_and_the_case_of_columns_do_not_matter() {
        let columns =
            Columns::read("\u{feff}Amount, Currency ,OCCURRED_AT,Customer_ID".split(',')).unwrap();
        assert_eq!(
            (columns.customer_id, columns.occurred_at, columns.amount),
            (3, 2, 0)
        );
        assert_eq!(columns.currency, Some(1));
    }

    #[test]
    fn what_is_missing_or_doubled_is_named() {
        let missing = Columns::read("customer,date,amount".split(',')).unwrap_err();
        assert!(missing.contains("no column customer_id"), "{missing}");
        let doubled = Columns::read("customer_id,date,occurred_at,amount".split(',')).unwrap_err();
        assert!(
            doubled.contains("date and occurred_at mean the same"),
            "{doubled}"
        );
        let amounts = Columns::read("customer_id,date,amount,amount_eur".split(',')).unwrap_err();
        assert!(
            amounts.contains("amount and amount_eur mean the same"),
            "{amounts}"
        );
    }
}
