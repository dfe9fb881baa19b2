//! Lists that come in pages: a person is shown one, a program gets all of them.

use patron_proto::acquisition::v1::{ListPropositionsResponse, ListProspectsResponse};
use patron_proto::retention::v1::{
    BookOfBusiness, ListCustomersResponse, ListEquityMovementsResponse, ListModelsResponse,
    ListPromiseGapsResponse, ListScoreboardCustomersResponse, ListStatementsResponse,
    ListWorkNewsResponse, ListWorkResponse,
};
use tonic::{Response, Status};

use crate::connect::said;
use crate::show::note;

/// Which page of a list.
#[derive(Debug, clap::Args)]
pub(crate) struct Paging {
    /// How many to show [default: 20; for programs, all].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=1000))]
    limit: Option<i32>,
    /// Go on from here.
    #[arg(
        long,
        default_value = "",
        value_name = "TOKEN",
        hide_default_value = true
    )]
    page: String,
}

/// How many a person is shown.
const SHOWN: i32 = 20;
/// How many are asked for at once when all are wanted.
const AT_ONCE: i32 = 1_000;

impl Paging {
    /// Asks for a page of a size behind a token: one page for a person, for a program one after the other unless
    /// it says how many it wants. A program whose page is not the last one is told so beside the answer.
    pub(crate) async fn ask<P, F>(
        &self,
        for_programs: bool,
        mut ask: impl FnMut(i32, String) -> F,
    ) -> anyhow::Result<P>
    where
        P: Page,
        F: Future<Output = Result<Response<P>, Status>>,
    {
        let is_whole = for_programs && self.limit.is_none();
        let size = if is_whole {
            AT_ONCE
        } else {
            self.limit.unwrap_or(SHOWN)
        };
        let page = ask(size, self.page.clone()).await;
        let mut page = page.map_err(|status| said(&status))?.into_inner();
        while is_whole && !page.token().is_empty() {
            let next = ask(size, page.token().to_owned()).await;
            page.append(next.map_err(|status| said(&status))?.into_inner());
        }
        if for_programs && !page.token().is_empty() {
            note(format!("there is more: go on with --page {}", page.token()));
        }
        Ok(page)
    }
}

/// A page of a list.
pub(crate) trait Page {
    /// What the next page is asked for with; empty on the last one.
    fn token(&self) -> &str;

    /// Takes the next page in.
    fn append(&mut self, next: Self);
}

macro_rules! pages {
    ($($page:ty: $items:ident,)*) => {$(
        impl Page for $page {
            fn token(&self) -> &str {
                &self.next_page_token
            }

            fn append(&mut self, next: Self) {
                self.$items.extend(next.$items);
                self.next_page_token = next.next_page_token;
            }
        }
    )*};
}

pages! {
    BookOfBusiness: customers,
    ListCustomersResponse: customers,
    ListEquityMovementsResponse: movements,
    ListModelsResponse: models,
    ListPromiseGapsResponse: gaps,
    ListScoreboardCustomersResponse: customers,
    ListPropositionsResponse: propositions,
    ListProspectsResponse: prospects,
    ListStatementsResponse: statements,
    ListWorkNewsResponse: news,
    ListWorkResponse: items,
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use patron_proto::retention::v1::{Customer, ListCustomersResponse};
    use tonic::Response;

    use super::Paging;

    /// Asks a service that has five customers and gives at most two; what it was asked for, and what came.
    async fn asked(
        limit: Option<i32>,
        page: &str,
        for_programs: bool,
    ) -> (Vec<i32>, usize, String) {
        let sizes = RefCell::new(Vec::new());
        let paging = Paging {
            limit,
            page: page.to_owned(),
        };
        let found = paging.ask(for_programs, |size, token| {
            sizes.borrow_mut().push(size);
            async move {
                let begins: usize = token.parse().unwrap_or(0);
                let ends = (begins + 2).min(5);
                Ok(Response::new(ListCustomersResponse {
                    customers: vec![Customer::default(); ends - begins],
                    next_page_token: if ends < 5 {
                        ends.to_string()
                    } else {
                        String::new()
                    },
                }))
            }
        });
        let found = found.await.unwrap();
        (
            sizes.into_inner(),
            found.customers.len(),
            found.next_page_token,
        )
    }

    #[tokio::test]
    async fn a_program_gets_all_pages_unless_it_says_how_many() {
        assert_eq!(
            asked(None, "", true).await,
            (vec![1_000; 3], 5, String::new())
        );
        assert_eq!(
            asked(None, "2", true).await,
            (vec![1_000; 2], 3, String::new())
        );
        assert_eq!(asked(Some(2), "", true).await, (vec![2], 2, "2".to_owned()));
    }

    #[tokio::test]
    async fn a_person_is_shown_one_page() {
        assert_eq!(asked(None, "", false).await, (vec![20], 2, "2".to_owned()));
        assert_eq!(
            asked(Some(7), "4", false).await,
            (vec![7], 1, String::new())
        );
    }
}
