//! `patron cohorts`: what became of customers month by month after they were acquired.

use clap::ValueEnum;
use patron_proto::retention::v1::{
    CohortCell, CohortDimension, CohortMeasure, CohortRow, CohortTable, GetCohortTableRequest,
};

use crate::connect::{Services, said};
use crate::grid::{PADDING, WIDTH};
use crate::moment::{Moment, Period};
use crate::show::{self, count, csv, json, print, short, table};

/// Which table.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    services: Services,
    /// What is counted in each month.
    #[arg(long, value_enum, default_value = "relationship")]
    measure: Measure,
    /// What the rows are.
    #[arg(long, value_enum, default_value = "month")]
    by: By,
    /// Only customers who buy in this currency; needed for revenue and margin.
    #[arg(
        long,
        default_value = "",
        value_name = "CODE",
        hide_default_value = true
    )]
    currency: String,
    /// The period in which the customers were acquired.
    #[command(flatten)]
    period: Period,
    /// How many months after the acquisition, 1 to 60 [default: 12, of money 6]; a person is shown what fits.
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..=60))]
    months: Option<i32>,
    #[command(flatten)]
    moment: Moment,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
    /// CSV for programs and sheets.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measure {
    /// Customers who are not lost.
    Relationship,
    /// Customers who bought.
    Purchase,
    /// What they paid.
    Revenue,
    /// What that left.
    Margin,
}

/// What the rows are.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Month,
    Campaign,
    Presentation,
}

impl Measure {
    const fn asked(self) -> CohortMeasure {
        match self {
            Self::Relationship => CohortMeasure::Relationship,
            Self::Purchase => CohortMeasure::Purchase,
            Self::Revenue => CohortMeasure::Revenue,
            Self::Margin => CohortMeasure::Margin,
        }
    }

    /// As many months as a hundred columns hold.
    const fn months(self) -> i32 {
        match self {
            Self::Relationship | Self::Purchase => 12,
            Self::Revenue | Self::Margin => 6,
        }
    }
}

impl By {
    const fn asked(self) -> CohortDimension {
        match self {
            Self::Month => CohortDimension::Month,
            Self::Campaign => CohortDimension::Campaign,
            Self::Presentation => CohortDimension::Presentation,
        }
    }
}

/// Shows the table.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut retention = args.services.retention().await?;
    let request = GetCohortTableRequest {
        measure: args.measure.asked() as i32,
        dimension: args.by.asked() as i32,
        currency_code: args.currency.clone(),
        start: args.period.start()?,
        end: args.period.end()?,
        months: args.months.unwrap_or_else(|| args.measure.months()),
        as_of: args.moment.as_of(),
        known_at: args.moment.known_at(),
        known_at_position: args.moment.token(),
    };
    let found = retention.reports.get_cohort_table(request).await;
    let found = found.map_err(|status| said(&status))?.into_inner();
    print(if args.json {
        json(&found)?
    } else if args.csv {
        sheet(&found)?.trim_end().to_owned()
    } else {
        shown(&found)
    });
    Ok(())
}

/// The rows that are shown: those of the table, and all together.
fn rows(found: &CohortTable) -> impl Iterator<Item = (String, &CohortRow)> {
    let rows = found.rows.iter().map(|row| (short(&row.name), row));
    rows.chain(found.total.iter().map(|total| ("all".to_owned(), total)))
}

fn months(found: &CohortTable) -> Vec<String> {
    let cells = found.total.as_ref().map_or(0, |total| total.cells.len());
    (1..=cells).map(|month| month.to_string()).collect()
}

/// The table as a person reads it: shares of the customers whose month is over, or amounts.
fn shown(found: &CohortTable) -> String {
    let mut months = months(found);
    let lines = rows(found).map(|(name, row)| {
        let start = [name, count(row.customers)];
        start
            .into_iter()
            .chain(row.cells.iter().map(cell))
            .collect()
    });
    let mut lines: Vec<Vec<String>> = lines.collect();
    let all = months.len();
    let shown = all.min(fitting(&lines));
    months.truncate(shown);
    for line in &mut lines {
        line.truncate(2 + shown);
    }
    let mut headings = vec!["acquired", "customers"];
    headings.extend(months.iter().map(String::as_str));
    let is_money = matches!(
        found.measure(),
        CohortMeasure::Revenue | CohortMeasure::Margin
    );
    let unit = if is_money {
        "amounts of each month after the one of the acquisition"
    } else {
        "percent of the customers, in each month after the one of the acquisition"
    };
    let rest = if shown < all {
        format!("\nthe first {shown} of {all} months; --csv and --json have all of them")
    } else {
        String::new()
    };
    format!("{}\n{unit}{rest}", table(&headings, lines))
}

fn cell(cell: &CohortCell) -> String {
    match (&cell.amount, cell.share) {
        (Some(money), _) => show::grouped(&show::figure(money)),
        (None, Some(share)) => format!("{:.0}", share * 100.0),
        (None, None) => String::new(),
    }
}

/// As much of a name as stands beside the months; a longer one takes more lines.
const LONGEST_NAME: usize = 24;

/// How many months fit beside the names and the counts.
fn fitting(lines: &[Vec<String>]) -> usize {
    let widest = |from: usize, to: usize, least: usize| {
        let cells = lines
            .iter()
            .flat_map(|line| line.iter().take(to).skip(from));
        let widest = cells.map(|cell| cell.chars().count()).max();
        widest.unwrap_or(0).max(least) + PADDING
    };
    let name = widest(0, 1, "acquired".len()).min(LONGEST_NAME + PADDING);
    let left = (WIDTH + 1).saturating_sub(name + widest(1, 2, "customers".len()));
    (left / widest(2, usize::MAX, 2)).max(1)
}

/// Every figure: how many customers are complete, and the count or amount.
fn sheet(found: &CohortTable) -> anyhow::Result<String> {
    let headings = [
        "acquired",
        "customers",
        "month",
        "complete",
        "count",
        "amount",
        "currency",
    ];
    let lines = rows(found).flat_map(|(name, row)| {
        let cells = (1..).zip(&row.cells);
        let lines = cells.map(move |(month, cell): (usize, _)| {
            let money = cell.amount.as_ref();
            vec![
                name.clone(),
                row.customers.to_string(),
                month.to_string(),
                cell.complete.to_string(),
                cell.count
                    .map(|count| count.to_string())
                    .unwrap_or_default(),
                money.map(show::figure).unwrap_or_default(),
                money
                    .map(|money| money.currency_code.clone())
                    .unwrap_or_default(),
            ]
        });
        lines.collect::<Vec<_>>()
    });
    csv(&headings, lines.collect())
}

#[cfg(test)]
mod tests {
    use patron_proto::retention::v1::{CohortCell, CohortRow, CohortTable};

    use super::{sheet, shown};

    fn table() -> CohortTable {
        let row = CohortRow {
            name: "2025-01".to_owned(),
            customers: 4,
            cells: std::iter::once(CohortCell::default())
                .chain((1..12).map(|_| CohortCell {
                    complete: 4,
                    count: Some(4),
                    share: Some(1.0),
                    amount: None,
                }))
                .collect(),
        };
        CohortTable {
            total: Some(row.clone()),
            rows: vec![row],
            ..CohortTable::default()
        }
    }

    #[test]
    fn a_year_fits_a_hundred_columns_and_what_is_not_over_is_blank() {
        let text = shown(&table());
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
        assert_eq!(text.lines().count(), 6, "{text}");
        assert_eq!(text.matches(" 100 ").count(), 22, "{text}");
    }

    #[test]
    fn months_that_do_not_fit_are_left_to_programs() {
        let mut found = table();
        let cell = found.rows[0].cells[1].clone();
        found.rows[0].name = format!("propositions/{0}/campaigns/{0}", "a-b".repeat(20));
        found.rows[0].cells = vec![cell.clone(); 60];
        found.total.as_mut().unwrap().cells = vec![cell; 60];
        let text = shown(&found);
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
        assert!(
            text.ends_with("the first 10 of 60 months; --csv and --json have all of them"),
            "{text}"
        );
        assert_eq!(sheet(&found).unwrap().lines().count(), 121);
    }

    #[test]
    fn a_sheet_has_a_line_for_each_cell() {
        let sheet = sheet(&table()).unwrap();
        let mut lines = sheet.lines().skip(1);
        assert_eq!(lines.next(), Some("2025-01,4,1,0,,,"));
        assert_eq!(lines.next(), Some("2025-01,4,2,4,4,,"));
        assert_eq!(sheet.lines().count(), 25);
    }
}
