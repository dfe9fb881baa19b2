//! Which column of a purchases file means what.

use super::heading::Heading;

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
    pub(crate) fn read(names: &[&str]) -> Result<Self, String> {
        let mut heading = Heading::new(names, EXPECTED);
        let customer_id = heading.need(&["customer_id"])?;
        let occurred_at = heading.need(&["date", "occurred_at"])?;
        let (amount, currency_in_heading) = heading.amount()?;
        Ok(Self {
            customer_id,
            occurred_at,
            amount,
            currency: heading.find(&["currency", "currency_code"])?,
            currency_in_heading,
            purchase_id: heading.find(&["purchase_id"])?,
            contribution_margin: heading.find(&["contribution_margin"])?,
            ignored: heading.ignored(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Columns;

    fn read(heading: &str) -> Result<Columns, String> {
        Columns::read(&heading.split(',').collect::<Vec<_>>())
    }

    #[test]
    fn a_heading_may_carry_the_currency_and_more_than_is_needed() {
        let columns = read("customer_id,date,units,amount_usd").unwrap();
        assert_eq!(
            (columns.customer_id, columns.occurred_at, columns.amount),
            (0, 1, 3)
        );
        assert_eq!(columns.currency_in_heading.as_deref(), Some("USD"));
        assert_eq!(columns.ignored, ["units"]);
    }

    #[test]
    fn the_order_and_the_case_of_columns_do_not_matter() {
        let columns = read("\u{feff}Amount, Currency ,OCCURRED_AT,Customer_ID").unwrap();
        assert_eq!(
            (columns.customer_id, columns.occurred_at, columns.amount),
            (3, 2, 0)
        );
        assert_eq!(columns.currency, Some(1));
    }

    #[test]
    fn what_is_missing_or_doubled_is_named() {
        let missing = read("customer,date,amount").unwrap_err();
        assert!(missing.contains("no column customer_id"), "{missing}");
        let doubled = read("customer_id,date,occurred_at,amount").unwrap_err();
        assert!(
            doubled.contains("date and occurred_at mean the same"),
            "{doubled}"
        );
        let amounts = read("customer_id,date,amount,amount_eur").unwrap_err();
        assert!(
            amounts.contains("amount and amount_eur mean the same"),
            "{amounts}"
        );
        let currencies = read("customer_id,date,amount_eur,amount_usd").unwrap_err();
        assert!(
            currencies.contains("amount_eur and amount_usd mean the same"),
            "{currencies}"
        );
        // What is no currency is another figure.
        let net = read("customer_id,date,amount,amount_net").unwrap();
        assert_eq!(net.ignored, ["amount_net"]);
    }
}
