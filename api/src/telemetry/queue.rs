//! How many spans wait for delivery, and what became of them.
//!
//! The SDK's queue is bounded too, but tells nobody how many it dropped: they are counted before they get there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanExporter, SpanProcessor},
};

/// How many spans wait, and how many may.
#[derive(Clone, Debug)]
pub struct Waiting {
    count: Arc<AtomicUsize>,
    most: usize,
}

impl Waiting {
    /// An empty queue's count.
    pub fn new(most: usize) -> Self {
        Self {
            count: Arc::default(),
            most,
        }
    }

    /// Takes a place; false when there is none.
    fn enter(&self) -> bool {
        let has_room = |count| (count < self.most).then_some(count + 1);
        self.count
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, has_room)
            .is_ok()
    }

    fn leave(&self, spans: usize) {
        self.count.fetch_sub(spans, Ordering::Relaxed);
    }
}

fn count(outcome: &'static str, spans: usize) {
    metrics::counter!("kabar_telemetry_spans_total", "outcome" => outcome).increment(spans as u64);
}

/// Lets spans into the queue while there is room.
#[derive(Debug)]
pub struct Bounded<P> {
    processor: P,
    waiting: Waiting,
}

impl<P> Bounded<P> {
    /// In front of this queue.
    pub fn new(processor: P, waiting: Waiting) -> Self {
        Self { processor, waiting }
    }
}

impl<P: SpanProcessor> SpanProcessor for Bounded<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.processor.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.waiting.enter() {
            self.processor.on_end(span);
        } else {
            count("dropped", 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.processor.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.processor.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.processor.set_resource(resource);
    }
}

/// Counts what is delivered and what is not, and says once when a collector is not there, and when it is again.
#[derive(Debug)]
pub struct Counted<E> {
    exporter: E,
    waiting: Waiting,
    is_failing: AtomicBool,
}

impl<E> Counted<E> {
    /// Behind the queue.
    pub fn new(exporter: E, waiting: Waiting) -> Self {
        Self {
            exporter,
            waiting,
            is_failing: AtomicBool::new(false),
        }
    }
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        self.waiting.leave(spans);
        let result = self.exporter.export(batch).await;
        let was_failing = self.is_failing.swap(result.is_err(), Ordering::Relaxed);
        match &result {
            Ok(()) => {
                count("delivered", spans);
                if was_failing {
                    tracing::info!("the collector takes traces again");
                }
            }
            Err(error) => {
                count("failed", spans);
                if !was_failing {
                    tracing::warn!(%error, "the collector does not take traces; they are dropped until it does");
                }
            }
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::Waiting;

    #[test]
    fn no_more_wait_than_may() {
        let waiting = Waiting::new(2);
        assert!(waiting.enter() && waiting.enter());
        assert!(!waiting.enter());
        waiting.leave(2);
        assert!(waiting.enter());
    }
}
