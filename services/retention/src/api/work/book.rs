//! `GetBookOfBusiness`.

use money::{Currency, Money};
use patron_proto::retention::v1 as proto;
use read_model::{Key as _, Rows};
use server::{
    Call, Moment, MomentOfPages, Page, invalid, money_out, parse_optional, reply_at, timestamp,
};
use tonic::{Response, Status};
use uuid::Uuid;

use crate::desk::Desk;
use crate::read_model::book::{Line, Place, Total, Whose, book, totals};
use crate::read_model::worth::Worth;
use crate::wire::relationship::state_out;
use crate::wire::text;

pub(super) async fn get(
    desk: &Desk,
    call: Call,
    message: proto::GetBookOfBusinessRequest,
) -> Result<Response<proto::BookOfBusiness>, Status> {
    let whose = Whose {
        owner: parse_optional("owner", &message.owner)?,
        territory: parse_optional("territory", &message.territory)?,
    };
    if whose == Whose::default() {
        return Err(invalid(
            "owner",
            "or a territory must be given: whose book is asked for?",
        ));
    }
    let page = asked(&message)?;
    let after = page.after.as_deref().map(read).transpose()?;
    let before = after.as_ref().map(|after| &after.moment);
    let asked = server::asked!(message);
    let moment = MomentOfPages::again(before, &desk.engine, &call, asked).await?;
    let read = move |rows: &dyn Rows| {
        let worth = Worth::known(rows, &moment.known)?;
        let lines = book(rows, &whose, &worth, &moment)?;
        let totals = totals(&lines);
        let behind = |line: &&Line| after.as_ref().is_none_or(|it| line.place() > it.place);
        let found = lines.iter().filter(behind).take(page.wanted()).collect();
        let paged = page.cut(found, |line: &&Line| write(&moment, line.place()));
        Ok(proto::BookOfBusiness {
            owner: text(whose.owner.as_ref()),
            territory: text(whose.territory.as_ref()),
            as_of: Some(timestamp(moment.as_of)),
            known_at_position: moment.known.token(),
            customer_count: i64::try_from(lines.len()).unwrap_or(i64::MAX),
            totals: totals
                .iter()
                .map(|(currency, total)| total_out(*currency, *total))
                .collect(),
            customers: paged.rows.into_iter().map(line_out).collect(),
            next_page_token: paged.next_page_token,
        })
    };
    let book = server::aside(&desk.engine, read).await?;
    Ok(reply_at(book, &desk.engine.position()))
}

fn asked(message: &proto::GetBookOfBusinessRequest) -> Result<Page, Status> {
    let known_at = message.known_at.as_ref().map(ToString::to_string);
    let known_at = known_at.unwrap_or_default();
    let question = ["book", &message.owner, &message.territory, &known_at];
    Page::parse(message.page_size, &message.page_token, &question)
}

/// Where a page goes on: behind a line of the book of this moment.
struct After {
    moment: MomentOfPages,
    place: Place,
}

fn write(moment: &Moment, (currency, value, id): Place) -> Vec<u8> {
    let mut bytes = Vec::new();
    MomentOfPages::of(moment).encode(&mut bytes);
    (currency.to_string(), value, id).encode(&mut bytes);
    bytes
}

fn read(mut bytes: &[u8]) -> Result<After, Status> {
    let moment = MomentOfPages::decode(&mut bytes);
    let place = <(String, i64, Uuid)>::decode(&mut bytes).filter(|_| bytes.is_empty());
    let after = moment
        .zip(place)
        .and_then(|(moment, (currency, value, id))| {
            let currency: Currency = currency.parse().ok()?;
            let place = (currency, value, id);
            Some(After { moment, place })
        });
    after.ok_or_else(|| invalid("page_token", "is not a token of an earlier page"))
}

fn total_out(currency: Currency, total: Total) -> proto::BookTotal {
    let money = |minor_units| Some(money_out(Money::new(currency, minor_units)));
    proto::BookTotal {
        customer_count: total.customers,
        leaving_count: total.leaving,
        equity: money(total.equity),
        under_notice: money(total.under_notice),
    }
}

fn line_out(line: &Line) -> proto::BookCustomer {
    let standing = &line.standing;
    proto::BookCustomer {
        customer: format!("customers/{}", line.id),
        state: state_out(standing.state),
        value: Some(money_out(Money::new(standing.currency, line.value))),
        owner: standing.owner.clone(),
        territory: text(standing.territory.as_ref()),
    }
}
