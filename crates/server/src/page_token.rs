//! Pages that cannot be mixed up: a token holds where to go on and what it was asked with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tonic::Status;

use crate::status::invalid;

const DEFAULT_SIZE: usize = 50;
const LARGEST_SIZE: usize = 1_000;
const VERSION: u8 = 1;

/// A page that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most so many rows.
    pub size: usize,
    /// The key of the last row of the page before; empty for the first page.
    pub after: Option<Vec<u8>>,
    /// What else was asked for.
    question: [u8; 8],
}

/// Rows of one page, and the token of the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Empty on the last page.
    pub next_page_token: String,
}

impl Page {
    /// Reads `page_size` and `page_token`. `question` is everything else that was asked for: a token is
    /// only good for the same question (AIP-158).
    pub fn parse(size: i32, token: &str, question: &[&str]) -> Result<Self, Status> {
        let size = match usize::try_from(size) {
            Ok(0) => DEFAULT_SIZE,
            Ok(size) => size.min(LARGEST_SIZE),
            Err(_) => return Err(invalid("page_size", "must not be negative")),
        };
        let question = digest(question);
        if token.is_empty() {
            return Ok(Self {
                size,
                after: None,
                question,
            });
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok();
        let parts = bytes.as_deref().and_then(|bytes| {
            let (version, rest) = bytes.split_first()?;
            (*version == VERSION).then_some(())?;
            rest.split_at_checked(question.len())
        });
        let Some((asked, after)) = parts else {
            return Err(invalid("page_token", "is not a token of an earlier page"));
        };
        if asked != question {
            return Err(invalid(
                "page_token",
                "belongs to a list with other arguments",
            ));
        }
        Ok(Self {
            size,
            after: Some(after.to_vec()),
            question,
        })
    }

    /// The key of the last row of the page before, if keys are texts.
    pub fn after_text(&self) -> Result<Option<String>, Status> {
        let after = self.after.clone().map(String::from_utf8).transpose();
        after.map_err(|_| invalid("page_token", "is not a token of an earlier page"))
    }

    /// The key of the last row of the page before, if keys are UUIDs.
    pub fn after_uuid(&self) -> Result<Option<uuid::Uuid>, Status> {
        let after = self
            .after
            .as_deref()
            .map(uuid::Uuid::from_slice)
            .transpose();
        after.map_err(|_| invalid("page_token", "is not a token of an earlier page"))
    }

    /// One row more than a page tells whether there is another page.
    pub const fn wanted(&self) -> usize {
        self.size + 1
    }

    /// Cuts the rows, of which [`wanted`](Self::wanted) were read, to the page. `key` says where a row stands.
    pub fn cut<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> Vec<u8>) -> Paged<T> {
        if rows.len() <= self.size {
            return Paged {
                rows,
                next_page_token: String::new(),
            };
        }
        rows.truncate(self.size);
        let last = rows.last().map(key).unwrap_or_default();
        Paged {
            rows,
            next_page_token: self.token(&last),
        }
    }

    /// The token of the page behind this key.
    pub fn token(&self, last: &[u8]) -> String {
        let mut token = vec![VERSION];
        token.extend(self.question);
        token.extend(last);
        URL_SAFE_NO_PAD.encode(token)
    }
}

fn digest(question: &[&str]) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    for part in question {
        hasher
            .update(&part.len().to_le_bytes())
            .update(part.as_bytes());
    }
    let mut digest = [0; 8];
    hasher.finalize_xof().fill(&mut digest);
    digest
}

#[cfg(test)]
mod tests {
    use super::Page;

    fn page(size: i32, token: &str) -> Page {
        Page::parse(size, token, &["customers", "BASIC"]).unwrap()
    }

    #[test]
    fn a_token_leads_to_the_row_after_the_last_one() {
        let paged = page(2, "").cut(vec![1_u8, 2, 3], |row| vec![*row]);
        assert_eq!(paged.rows, vec![1, 2]);
        assert_eq!(page(2, &paged.next_page_token).after, Some(vec![2]));
    }

    #[test]
    fn the_last_page_has_no_token() {
        assert_eq!(
            page(2, "")
                .cut(vec![1_u8, 2], |row| vec![*row])
                .next_page_token,
            ""
        );
    }

    #[test]
    fn a_token_of_another_list_is_refused() {
        let token = page(1, "")
            .cut(vec![1_u8, 2], |row| vec![*row])
            .next_page_token;
        assert!(Page::parse(1, &token, &["customers", "FULL"]).is_err());
        assert!(Page::parse(1, "not a token", &["customers", "BASIC"]).is_err());
        assert!(Page::parse(1, "AQ", &["customers", "BASIC"]).is_err());
    }

    #[test]
    fn sizes_have_a_default_and_a_limit() {
        assert_eq!(
            (page(0, "").size, page(7, "").size, page(i32::MAX, "").size),
            (50, 7, 1_000)
        );
        assert!(Page::parse(-1, "", &[]).is_err());
    }
}
