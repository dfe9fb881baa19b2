//! `ListCustomers`: by id, all of them or those of an owner, a territory, a band of risk, a state.

use patron_proto::retention::v1 as proto;
use read_model::{Key as _, Rows};
use server::{Call, Opener, Page, Wrong, invalid, parse_optional};
use tonic::{Response, Status};
use uuid::Uuid;

use super::View;
use crate::desk::Desk;
use crate::read_model::listing::{self, Filter, Place};
use crate::wire::relationship::state;
use crate::wire::risk::band;

pub(super) async fn list(
    desk: &Desk,
    call: Call,
    message: proto::ListCustomersRequest,
    view: View,
) -> Result<Response<proto::ListCustomersResponse>, Status> {
    let filter = filter(&message)?;
    let asked = [
        "customers",
        &message.view.to_string(),
        &message.owner,
        &message.territory,
        &message.risk_band.to_string(),
        &message.state.to_string(),
    ];
    let page = Page::parse(message.page_size, &message.page_token, &asked)?;
    let after = page.after.as_deref().map(place).transpose()?;
    let read = |rows: &dyn Rows, opener: &Opener| {
        let (found, next) = listing::list(rows, &filter, after.as_ref(), page.size)?;
        let mut customers = Vec::new();
        for (id, state) in found {
            customers.extend(view.show(rows, id, &state, opener)?);
        }
        Ok(Some(proto::ListCustomersResponse {
            customers,
            next_page_token: next
                .map(|place| page.token(&bytes(&place)))
                .unwrap_or_default(),
        }))
    };
    desk.read_people(&call, &message.min_position, "customers", read)
        .await
}

fn filter(message: &proto::ListCustomersRequest) -> Result<Filter, Wrong> {
    let asked = |number: i32| Some(number).filter(|number| *number != 0);
    Ok(Filter {
        owner: parse_optional("owner", &message.owner)?,
        territory: parse_optional("territory", &message.territory)?,
        band: asked(message.risk_band)
            .map(|number| band("risk_band", number))
            .transpose()?,
        state: asked(message.state)
            .map(|number| state("state", number))
            .transpose()?,
    })
}

fn bytes(place: &Place) -> Vec<u8> {
    let mut bytes = Vec::new();
    (place.part.clone(), place.id).encode(&mut bytes);
    bytes
}

fn place(mut bytes: &[u8]) -> Result<Place, Status> {
    let place = <(String, Uuid)>::decode(&mut bytes).filter(|_| bytes.is_empty());
    let place = place.map(|(part, id)| Place { part, id });
    place.ok_or_else(|| invalid("page_token", "is not a token of an earlier page"))
}
