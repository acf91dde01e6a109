//! Does something once, a moment after the last or at most a moment after the first of many wishes.

use std::{cell::Cell, rc::Rc};

use gloo_timers::callback::Timeout;

/// Runs at the end of a pause that the first call begins; calls within it are answered by that one run.
#[derive(Clone)]
pub struct Soon {
    pause_ms: u32,
    waiting: Rc<Cell<bool>>,
    work: Rc<dyn Fn()>,
}

impl Soon {
    pub fn new(pause_ms: u32, work: impl Fn() + 'static) -> Self {
        Self {
            pause_ms,
            waiting: Rc::new(Cell::new(false)),
            work: Rc::new(work),
        }
    }

    pub fn call(&self) {
        if !self.waiting.replace(true) {
            let this = self.clone();
            Timeout::new(self.pause_ms, move || {
                this.waiting.set(false);
                (this.work)();
            })
            .forget();
        }
    }
}
