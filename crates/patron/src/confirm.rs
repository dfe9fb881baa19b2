//! Asks before something that cannot be taken back.

use std::io::{self, BufRead, IsTerminal as _, Write};

use anyhow::{Context as _, ensure};

/// Asks at the terminal whether that is meant; anything but the word is a no.
///
/// # Errors
/// If the answer is no, or if there is nobody to ask.
pub(crate) fn ask(question: &str, word: &str) -> anyhow::Result<()> {
    ensure!(
        io::stdin().is_terminal(),
        "there is nobody to ask: say --yes if it is meant"
    );
    answer(question, word, &mut io::stdin().lock(), &mut io::stderr())
}

fn answer(
    question: &str,
    word: &str,
    answers: &mut impl BufRead,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    write!(out, "{question} Type {word} to go on: ")?;
    out.flush()?;
    let mut said = String::new();
    let read = answers.read_line(&mut said);
    read.context("there is nobody to ask: say --yes if it is meant")?;
    ensure!(said.trim() == word, "nothing was done");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn only_the_word_itself_is_a_yes() {
        let asked = |said: &str| {
            let mut out = Vec::new();
            let done = answer("For ever.", "2026-q2", &mut said.as_bytes(), &mut out);
            let shown = String::from_utf8(out).unwrap();
            assert_eq!(shown, "For ever. Type 2026-q2 to go on: ");
            done.map_err(|error| error.to_string())
        };
        assert_eq!(asked("2026-q2\n"), Ok(()));
        for no in ["", "\n", "yes\n", "2026-q1\n"] {
            assert_eq!(asked(no), Err("nothing was done".to_owned()), "{no:?}");
        }
    }
}
