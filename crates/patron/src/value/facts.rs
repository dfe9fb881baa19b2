//! Purchases from a file of transactions, kept as facts, so that any day can be asked what was known on it.

use std::collections::HashMap;
use std::io::Read;

use anyhow::anyhow;
use customer_value::PurchaseDays;
use money::Currency;

use super::rows::{Rejected, Rows};
use super::text::{day, minor_units};

/// Who bought what and when.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// By customer, in the order of their ids.
    pub(super) customers: Vec<(String, Vec<Fact>)>,
    /// Every currency that occurs, sorted.
    pub(super) currencies: Vec<Currency>,
    pub(super) rejected: Vec<Rejected>,
}

/// A purchase, or a refund if the amount is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fact {
    day: i32,
    /// Refunds follow the purchases of their day.
    is_refund: bool,
    line: u64,
    amount_minor: i64,
}

/// What files without a currency are counted in: two decimals, never shown.
pub(super) const TWO_DECIMALS: &str = "EUR";

const EXPECTED: &str = "expected customer_id, date (or occurred_at), amount (or amount_usd and the like), \
     and optionally currency";

impl Facts {
    /// Reads all rows: `customer_id`, `date` or `occurred_at`, `amount` or `amount_usd` and the like, and optionally
    /// `currency`. `fallback` is the currency of files that do not say.
    pub(super) fn read<R: Read>(
        mut rows: Rows<R>,
        fallback: Option<Currency>,
    ) -> anyhow::Result<Self> {
        let customer = rows.columns.customer();
        let customer =
            customer.ok_or_else(|| anyhow!("there is no column customer_id; {EXPECTED}"))?;
        let mut heading = rows.columns.heading(EXPECTED);
        let mut find = || {
            let date = heading.need(&["date", "occurred_at"])?;
            let in_column = heading.find(&["currency", "currency_code"])?;
            Ok((date, in_column, heading.amount()?))
        };
        let (date, in_column, (amount, in_heading)) =
            find().map_err(|wrong: String| anyhow!(wrong))?;
        let in_heading = in_heading
            .map(|code| code.parse::<Currency>())
            .transpose()?;
        let said = in_heading.or(fallback);
        let silent: Currency = TWO_DECIMALS.parse()?;
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut facts = Self::default();
        let (customers, currencies) = (&mut facts.customers, &mut facts.currencies);
        let mut rejected = rows.for_each(|row| {
            let id = row.text(customer);
            if id.is_empty() {
                return Err("customer_id is empty".to_owned());
            }
            let currency = match in_column
                .map(|place| row.text(place))
                .filter(|code| !code.is_empty())
            {
                Some(code) => Some(
                    code.parse::<Currency>()
                        .map_err(|unknown| unknown.to_string())?,
                ),
                None => said,
            };
            let amount_minor = minor_units(row.text(amount), currency.unwrap_or(silent))?;
            let fact = Fact {
                day: day(row.text(date))?,
                is_refund: amount_minor < 0,
                line: row.line,
                amount_minor,
            };
            if let Some(currency) = currency
                && let Err(place) = currencies.binary_search(&currency)
            {
                currencies.insert(place, currency);
            }
            let place = *places.entry(id.to_owned()).or_insert_with(|| {
                customers.push((id.to_owned(), Vec::new()));
                customers.len() - 1
            });
            if let Some((_, own)) = customers.get_mut(place) {
                own.push(fact);
            }
            Ok(())
        })?;
        facts.settle(&mut rejected);
        facts.rejected = rejected;
        Ok(facts)
    }

    /// Sorts everything, and sets aside refunds of what was not bought.
    fn settle(&mut self, rejected: &mut Vec<Rejected>) {
        for (id, own) in &mut self.customers {
            own.sort_unstable();
            let mut history = PurchaseDays::default();
            own.retain(|fact| match fact.apply(&mut history) {
                Ok(()) => true,
                Err(error) => {
                    rejected.push(Rejected {
                        line: fact.line,
                        customer_id: id.clone(),
                        reason: error.to_string(),
                    });
                    false
                }
            });
        }
        self.customers.retain(|(_, own)| !own.is_empty());
        self.customers
            .sort_by(|a, b| id_order(&a.0).cmp(&id_order(&b.0)));
        rejected.sort_by_key(|row| row.line);
    }

    /// The last day on which anything happened.
    pub(super) fn last_day(&self) -> Option<i32> {
        let days = self.customers.iter().filter_map(|(_, own)| own.last());
        days.map(|fact| fact.day).max()
    }
}

/// What was known of a customer at the end of the day `until`.
pub(super) fn known(facts: &[Fact], until: i32) -> PurchaseDays {
    let mut history = PurchaseDays::default();
    for fact in facts.iter().take_while(|fact| fact.day <= until) {
        // A refund that could not be applied was set aside when the file was read.
        let _applied = fact.apply(&mut history);
    }
    history
}

impl Fact {
    fn apply(self, history: &mut PurchaseDays) -> Result<(), customer_value::rfm::OverRefunded> {
        if self.is_refund {
            return history.refund(self.day, self.amount_minor.saturating_neg());
        }
        history.record(self.day, self.amount_minor);
        Ok(())
    }
}

/// Numbers in the order of numbers, before other ids in the order of text.
pub(super) fn id_order(id: &str) -> (u64, &str) {
    (id.parse().unwrap_or(u64::MAX), id)
}

#[cfg(test)]
mod tests {
    use super::{Facts, Rows, known};

    fn read(text: &str) -> Facts {
        Facts::read(Rows::read(text.as_bytes(), 0).unwrap(), None).unwrap()
    }

    #[test]
    fn purchases_are_collected_by_customer_in_the_order_of_their_ids() {
        let facts = read(
            "customer_id,date,amount_usd\n10,1997-01-02,5\n9,1997-01-01,1.50\nb,1997-01-01,1\n",
        );
        let ids: Vec<_> = facts.customers.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids, ["9", "10", "b"]);
        assert_eq!(facts.currencies, ["USD".parse().unwrap()]);
        assert_eq!(facts.last_day(), super::day("1997-01-02").ok());
    }

    #[test]
    fn columns_that_mean_the_same_are_refused() {
        for (heading, said) in [
            (
                "customer_id,date,amount_eur,amount_usd",
                "amount_eur and amount_usd mean the same",
            ),
            (
                "customer_id,date,amount,amount_usd",
                "amount and amount_usd mean the same",
            ),
            (
                "customer_id,date,occurred_at,amount",
                "date and occurred_at mean the same",
            ),
            ("customer_id,date", "no column amount"),
            ("date,amount", "no column customer_id"),
        ] {
            let rows = Rows::read(heading.as_bytes(), 0).unwrap();
            let refused = Facts::read(rows, None).unwrap_err().to_string();
            assert!(refused.contains(said), "{refused}");
        }
    }

    #[test]
    fn e16_a_refund_counts_from_its_own_day_and_not_before() {
        let facts =
            read("customer_id,date,amount\n1,2020-01-01,10\n1,2020-01-10,20\n1,2020-01-20,-20\n");
        let (_, own) = &facts.customers[0];
        let day = |text| super::day(text).unwrap();
        let x = |until| known(own, day(until)).as_of(day(until)).unwrap().cell.x();
        assert_eq!((x("2020-01-19"), x("2020-01-20")), (1, 0));
        assert!(facts.rejected.is_empty() && facts.currencies.is_empty());
    }

    #[test]
    fn a_refund_of_what_was_not_bought_is_rejected() {
        let facts =
            read("customer_id,date,amount\n1,2020-01-01,10\n1,2020-01-02,-11\n2,2020-01-01,-1\n");
        let lines: Vec<_> = facts.rejected.iter().map(|row| row.line).collect();
        assert_eq!(lines, [3, 4]);
        assert_eq!(facts.customers.len(), 1);
    }

    #[test]
    fn a_bad_row_names_its_line_and_reason() {
        let facts = read(
            "customer_id,date,amount,currency\n1,yesterday,1,USD\n,2020-01-01,1,USD\n1,2020-01-01,1,???\n",
        );
        assert_eq!(facts.rejected.len(), 3);
        assert!(facts.rejected[0].reason.contains("neither a date"));
        assert!(facts.customers.is_empty());
    }
}
