//! Clients that hold out: they repeat what was not answered, elsewhere, and sometimes what was.

use std::time::Duration;

use journal::Position;
use runtime::{Answer, Failure};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::history::{Check, Heard, Op, Sent, Window};
use crate::tally::{Command, Pair, Refusal, mirror_stream, tally_stream};
use crate::world::World;

/// How often a request is sent before its client gives up.
const HOLDS_OUT: usize = 12;

/// What a client remembers of a service: nothing it reads later may be older.
#[derive(Debug, Default)]
struct Session {
    position: Option<Position>,
    versions: Vec<u64>,
}

/// How one sending differs from the plain request.
#[derive(Debug, Clone, Copy, Default)]
struct Twist {
    etag: Option<u64>,
    validate_only: bool,
    repeated: bool,
    altered: bool,
}

impl World {
    /// One client, and all that it asks.
    pub(crate) async fn client(&self, requests: usize) {
        let mut sessions = [Session::default(), Session::default()];
        for _ in 0..requests {
            sleep(self.some_millis(150)).await;
            let service = usize::from(self.chance(50));
            let (pair, command) = self.something();
            if self.chance(40) {
                // A rival at the same moment, who wants what only one of them can have.
                let rival = Self::rival(&pair, command);
                let mut other = Session::default();
                futures::join!(
                    self.request(service, (pair, command), &mut sessions[service]),
                    self.request(service, rival, &mut other)
                );
            } else {
                self.request(service, (pair, command), &mut sessions[service])
                    .await;
            }
            let service = usize::from(self.chance(50));
            self.look(service, &mut sessions[service]).await;
        }
    }

    async fn request(
        &self,
        service: usize,
        (pair, command): (Pair, Command),
        session: &mut Session,
    ) {
        let mut op = Op {
            service,
            partition: self.partition_of(&command.root(&pair)),
            pair,
            command,
            request_id: Uuid::from_u64_pair(self.log.draw(u64::MAX), self.log.draw(u64::MAX)),
            sent: Vec::new(),
        };
        if self.chance(15) {
            // Two at once: the client's network doubled it.
            let (one, two) = futures::join!(
                self.send(&op, Twist::default(), None),
                self.send(&op, Twist::default(), None)
            );
            op.sent.extend([one, two].into_iter().flatten());
        }
        self.hold_out(&mut op, session).await;
        if op.acknowledged().is_some() {
            for (percent, altered) in [(30, false), (10, true)] {
                if self.chance(percent) {
                    let twist = Twist {
                        repeated: true,
                        altered,
                        ..Twist::default()
                    };
                    op.sent.extend(self.send(&op, twist, None).await);
                }
            }
        }
        self.ops.borrow_mut().push(op);
    }

    async fn hold_out(&self, op: &mut Op, session: &mut Session) {
        let done = |op: &Op| op.acknowledged().is_some();
        for attempt in 0..HOLDS_OUT {
            if done(op) || (attempt > 0 && self.chance(5)) {
                return;
            }
            let twist = Twist {
                etag: self.chance(8).then(|| self.log.draw(6)),
                validate_only: self.chance(8),
                ..Twist::default()
            };
            let Some(sent) = self.send(op, twist, Some(session)).await else {
                sleep(self.some_millis(300)).await;
                continue;
            };
            let is_final = matches!(sent.heard, Heard::Refused(_));
            op.sent.push(sent);
            if is_final && self.chance(70) {
                return;
            }
            sleep(self.some_millis(200)).await;
        }
    }

    /// Sends it to any instance; none, if nobody runs.
    async fn send(&self, op: &Op, twist: Twist, session: Option<&mut Session>) -> Option<Sent> {
        let replica = self.any_replica(op.service)?;
        let mut request = op.command.request(&op.pair, op.request_id);
        request.deadline =
            Some(Instant::now() + Duration::from_millis(50) + self.some_millis(4_000));
        request.etag = twist.etag;
        request.validate_only = twist.validate_only;
        if twist.altered {
            request.fingerprint = [0; 16];
        }
        let (command, pair, root) = (op.command, op.pair.clone(), op.root().to_string());
        let asked = self.length(op.service, op.partition);
        let answer = replica.execute(
            request,
            move |work| command.decide(&pair, work),
            move |rows| runtime::version(rows, &root),
        );
        let answer = tokio::select! {
            biased;
            () = replica.stopping().cancelled() => None,
            answer = answer => Some(answer),
        };
        if let (Some(Ok(answer)), Some(session)) = (&answer, session) {
            session.saw(&answer.position);
        }
        let window = Window {
            asked,
            heard: self.length(op.service, op.partition),
        };
        Some(Sent {
            window,
            etag: twist.etag,
            validate_only: twist.validate_only,
            repeated: twist.repeated,
            altered: twist.altered,
            heard: answer.map_or_else(|| Heard::Retry("it was killed".to_owned()), heard),
        })
    }

    /// Reads every version behind all that this client has seen, at any instance.
    async fn look(&self, service: usize, session: &mut Session) {
        let Some(replica) = self.any_replica(service) else {
            return;
        };
        let names: Vec<String> = self
            .pairs
            .iter()
            .flat_map(|pair| [tally_stream(&pair.key), mirror_stream(&pair.key)])
            .map(|stream| stream.to_string())
            .collect();
        let deadline = Instant::now() + self.some_millis(2_000);
        let read = replica.read(session.position.as_ref(), Some(deadline), |rows| {
            names
                .iter()
                .map(|name| runtime::version(rows, name).unwrap())
                .collect::<Vec<u64>>()
        });
        let Ok(Ok((versions, position))) = timeout(Duration::from_secs(5), read).await else {
            return;
        };
        for (name, (now, before)) in names.iter().zip(versions.iter().zip(&session.versions)) {
            if now < before {
                let what = format!("{name} was at version {before}, and later at {now}");
                self.violated(Check::ReadsNeverGoBack, what);
            }
        }
        session.versions = versions;
        session.saw(&position);
    }

    fn something(&self) -> (Pair, Command) {
        // One pair is hot.
        let pairs = if self.chance(50) { 2 } else { self.pairs.len() };
        let pair = usize::try_from(self.log.draw(pairs as u64)).unwrap();
        let n = 1 + i64::try_from(self.log.draw(4)).unwrap();
        let command = match self.log.draw(20) {
            0..=5 => Command::Add(n),
            6..=10 => Command::Take(n),
            11..=12 => Command::Flag,
            13 => Command::Clear,
            14..=15 => Command::Nudge,
            16..=17 => Command::Note(n),
            drawn => Command::Shut(drawn == 18),
        };
        (self.pairs[pair].clone(), command)
    }

    fn rival(pair: &Pair, command: Command) -> (Pair, Command) {
        let other = Pair {
            key: pair.partner.clone(),
            partner: pair.key.clone(),
        };
        match command {
            Command::Take(n) => (other, Command::Take(n)),
            Command::Flag => (pair.clone(), Command::Clear),
            Command::Add(_)
            | Command::Clear
            | Command::Nudge
            | Command::Note(_)
            | Command::Shut(_) => (pair.clone(), command),
        }
    }
}

impl Session {
    fn saw(&mut self, position: &Position) {
        self.position = match &self.position {
            None => Some(position.clone()),
            Some(known) => known.merge(position),
        };
    }
}

fn heard(answer: Result<Answer<u64>, Failure<Refusal>>) -> Heard {
    match answer {
        Ok(answer) => Heard::Done {
            version: answer.value,
            replayed: answer.replayed,
        },
        Err(Failure::Refused(refusal)) => Heard::Refused(refusal),
        Err(Failure::StaleEtag { current }) => Heard::StaleEtag(current),
        Err(Failure::RequestIdReused) => Heard::RequestIdReused,
        Err(
            failure @ (Failure::Conflict { .. }
            | Failure::Overloaded
            | Failure::NotReady(_)
            | Failure::NotWritten(_)
            | Failure::Deadline
            | Failure::OutcomeUnknown),
        ) => Heard::Retry(failure.to_string()),
        Err(
            failure
            @ (Failure::Unreadable { .. } | Failure::TooLarge { .. } | Failure::Internal(_)),
        ) => Heard::Fault(failure.to_string()),
    }
}
