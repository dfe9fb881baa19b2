//! Customers from a table of recency and frequency, as other tools write them too.

use std::io::Read;

use anyhow::bail;
use customer_value::Recency;
use money::Currency;

use super::customers::Customer;
use super::facts::id_order;
use super::rows::{Rejected, Row, Rows};
use super::text::{minor_units, minor_units_of_mean};

/// Where the columns are.
struct Places {
    customer: Option<usize>,
    x: usize,
    tx: usize,
    t: usize,
    /// Days in one unit of the file's times.
    days: f64,
    spend: Option<Spend>,
}

#[derive(Clone, Copy)]
enum Spend {
    /// What the repeat days came to.
    Whole(usize),
    /// The mean of a repeat day.
    Mean(usize),
}

/// Reads `x` (or `frequency`), `tx_days` and `T_days` (or `tx_weeks` and `T_weeks`, or `recency` and `T` in units of
/// `days_of_unit` days), and optionally `repeat_spend` or `monetary_value`, in `currency`.
pub(super) fn read<R: Read>(
    mut rows: Rows<R>,
    currency: Currency,
    days_of_unit: f64,
) -> anyhow::Result<(Vec<Customer>, Vec<Rejected>)> {
    let columns = &rows.columns;
    let pairs = [
        (["tx_days", "recency_days"], "t_days", 1.0),
        (["tx_weeks", "recency_weeks"], "t_weeks", 7.0),
        (["tx", "recency"], "t", days_of_unit),
    ];
    let times = pairs
        .iter()
        .find_map(|(tx, t, days)| Some((columns.find(tx)?, columns.find(&[t])?, *days)));
    let Some((tx, t, days)) = times else {
        bail!(
            "there are no columns tx_days and T_days (or tx_weeks and T_weeks, or recency and T)"
        );
    };
    let whole = columns.find(&["repeat_spend"]).map(Spend::Whole);
    let places = Places {
        customer: columns.customer(),
        x: columns.need(&["x", "frequency"])?,
        tx,
        t,
        days,
        spend: whole.or(columns.find(&["monetary_value"]).map(Spend::Mean)),
    };
    let mut customers = Vec::new();
    let rejected = rows.for_each(|row| {
        customers.push(places.customer(row, currency)?);
        Ok(())
    })?;
    customers.sort_by(|a, b| id_order(&a.id).cmp(&id_order(&b.id)));
    Ok((customers, rejected))
}

impl Places {
    fn customer(&self, row: &Row<'_>, currency: Currency) -> Result<Customer, String> {
        // Tools that compute in floating point write 2.0 for two purchases.
        let x: f64 = row.number(self.x, "x")?;
        if x.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&x) {
            return Err(format!("x {x} is not a number of purchases"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number within u32, checked above"
        )]
        let x = x as u32;
        let days = |place, name| Ok::<f64, String>(row.number::<f64>(place, name)? * self.days);
        let (tx_days, t_days) = (days(self.tx, "tx")?, days(self.t, "T")?);
        Recency::new(x, tx_days, t_days).map_err(|bad| bad.to_string())?;
        let spend = match self.spend {
            None => 0,
            Some(Spend::Whole(place)) => minor_units(row.text(place), currency)?,
            Some(Spend::Mean(place)) => minor_units_of_mean(row.text(place), x, currency)?,
        };
        let id = self
            .customer
            .map_or_else(|| row.line.to_string(), |place| row.text(place).to_owned());
        Ok(Customer {
            id,
            cell: None,
            x,
            tx_days,
            t_days,
            repeat_spend_minor: self.spend.map(|_| spend),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Rows, read};

    fn table(text: &str) -> (Vec<super::Customer>, Vec<super::Rejected>) {
        read(
            Rows::read(text.as_bytes(), 0).unwrap(),
            "USD".parse().unwrap(),
            7.0,
        )
        .unwrap()
    }

    #[test]
    fn times_are_days_whatever_the_file_counts_in() {
        let days = table("customer_id,x,tx_days,T_days,repeat_spend\n1,2,213,272,44.69\n").0;
        assert_eq!((days[0].x, days[0].repeat_spend_minor), (2, Some(4_469)));
        let weeks = table("id,frequency,recency,T,monetary_value\n1,2.0,10,20,22.345\n").0;
        assert!((weeks[0].tx_days - 70.0).abs() < 1e-12);
        assert_eq!(weeks[0].repeat_spend_minor, Some(4_469));
    }

    #[test]
    fn e11_rows_that_cannot_be_true_are_rejected_with_their_customer() {
        let (customers, rejected) = table(
            "customer_id,x,tx_days,T_days\n\
             a,1,5,4\nb,0,0,-1\nc,0,1,4\nd,2,0,4\ne,2,NaN,4\nf,1.5,2,4\ng,-1,2,4\nh,1,2,4\n",
        );
        assert_eq!(customers.len(), 1);
        let ids: Vec<_> = rejected
            .iter()
            .map(|row| row.customer_id.as_str())
            .collect();
        assert_eq!(ids, ["a", "b", "c", "d", "e", "f", "g"]);
    }
}
