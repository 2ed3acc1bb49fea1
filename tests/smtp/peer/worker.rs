//! The peer's thread: accepts connections, runs each dialog, and watches what the clients do
//! afterwards.
use crate::peer::conn::Conn;
use crate::peer::exchanged::Exchanged;
use crate::peer::failure::fail;
use crate::peer::link::Fill;
use crate::peer::listen::Listener;
use crate::peer::run::run;
use crate::peer::script::{Dialog, Handler, Part};
use crate::peer::settings::{Control, Settings};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// The result of the thread.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) exchanged: Exchanged,
    /// What is wrong, with the script if there is one, but without what was exchanged.
    pub(crate) failure: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Worker {
    listener: Listener,
    part: Part,
    settings: Settings,
    control: Arc<Control>,
    /// In the order in which they were made. After its dialog a connection stays open until the
    /// client closes it.
    conns: Vec<Conn>,
}

impl Worker {
    pub(crate) fn new(
        listener: Listener,
        part: Part,
        settings: Settings,
        control: Arc<Control>,
    ) -> Self {
        Self {
            listener,
            part,
            settings,
            control,
            conns: Vec::new(),
        }
    }

    pub(crate) fn run(mut self) -> Report {
        let failure = self.serve().err();
        let sessions = self.conns.into_iter().map(Conn::into_session).collect();
        Report {
            exchanged: Exchanged { sessions },
            failure,
        }
    }

    /// Serves until `finish` is called and nothing is left to do.
    fn serve(&mut self) -> Result<(), String> {
        let mut idle_since = Instant::now();
        loop {
            // This is asked first, so that what the client did before `finish` was called is seen
            // below.
            let finishing = self.control.is_finishing();
            while self.accept()? {
                idle_since = Instant::now();
            }
            let all_closed = self.watch()?;
            match self.missing() {
                _ if self.control.is_aborted() => {
                    return Err("before its end: the test ended first".into());
                }
                0 if finishing => return Ok(()),
                0 if all_closed => idle_since = Instant::now(),
                0 => {}
                missing if finishing && idle_since.elapsed() > GRACE => {
                    return Err(format!("before its end: connections to come: {missing}"));
                }
                _ => {}
            }
            if idle_since.elapsed() > self.settings.bound {
                return Err(self.idle());
            }
            thread::sleep(POLL);
        }
    }

    fn idle(&self) -> String {
        match self.missing() {
            0 => format!(
                "behind its end: the client held the connection for {:?} more",
                self.settings.bound
            ),
            missing => format!("before its end: connections to come: {missing}"),
        }
    }

    /// How many scripts wait for their connection.
    fn missing(&self) -> usize {
        match &self.part {
            Part::Handler(_) => 0,
            Part::Dialogs(dialogs) => dialogs.len().saturating_sub(self.conns.len()),
        }
    }

    /// Runs the dialog of the next connection, if there is one.
    fn accept(&mut self) -> Result<bool, String> {
        let Some(socket) = self.listener.accept() else {
            return Ok(false);
        };
        let n = self.conns.len();
        let conn = Conn::new(socket, self.settings, Arc::clone(&self.control));
        self.conns.push(conn);
        let conn = &mut self.conns[n];
        let done = match &mut self.part {
            Part::Handler(handler) => handle(handler, conn),
            Part::Dialogs(dialogs) => match dialogs.get(n) {
                Some(dialog) => follow(dialog, conn),
                None => return Err("behind its end: a connection more than scripts".into()),
            },
        };
        done.map_err(|e| format!("on connection {}{e}", n + 1))?;
        Ok(true)
    }

    /// Looks for bytes after the end of each script. Returns whether all clients have closed.
    fn watch(&mut self) -> Result<bool, String> {
        let mut all_closed = true;
        let open = self.conns.iter_mut().enumerate();
        for (n, conn) in open.filter(|(_, conn)| !conn.link.is_closed()) {
            match conn.link.peek().map_err(|e| e.0)? {
                Fill::End => {}
                Fill::Quiet => all_closed = false,
                Fill::Octets => {
                    let surplus = conn.link.surplus();
                    return Err(format!(
                        "on connection {}, behind the end of the script, the client sent {surplus}",
                        n + 1
                    ));
                }
            }
        }
        Ok(all_closed)
    }
}

/// Runs the handler. Its panics become failures.
fn handle(handler: &mut Handler, conn: &mut Conn) -> Result<(), String> {
    let result = catch_unwind(AssertUnwindSafe(|| handler(conn)));
    let result = result.unwrap_or_else(|panic| fail(message(panic.as_ref())));
    conn.close();
    result.map_err(|e| format!(": {e}"))
}

/// Runs the script. A failure shows it.
fn follow(dialog: &Dialog, conn: &mut Conn) -> Result<(), String> {
    run(&dialog.steps, conn).map_err(|(line, e)| {
        let place = match line {
            0 => ", before the script".into(),
            line => format!(", line {line}"),
        };
        format!("{place}: {e}\nscript:\n{}", dialog.marked(line))
    })
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("the handler panicked")
        .into()
}

const POLL: Duration = Duration::from_millis(1);
/// How long after `finish` a client of another thread may still connect.
const GRACE: Duration = Duration::from_millis(500);
