//! Streams that lead back: what a loop is made of.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use super::build_error::BuildError;
use super::graph::{Graph, Origin};
use super::router::Partition;
use super::stream::Stream;

/// A stream that operators can read before there is anybody to emit it: it becomes a loop when it is
/// closed with a stream of an operator that they lead to.
///
/// ```
/// use cutwater::dataflow::{EncodedSink, JobBuilder, Replay};
///
/// // Halves each number until it is odd.
/// let job = JobBuilder::new("halving");
/// let even = job.feedback::<u64>("even");
/// let halved = job
///     .source("numbers", Replay::<u64>::new(), 1, 1)
///     .merge("all", 1, &even.stream())
///     .map("halve", 1, |n| if n % 2 == 0 { n / 2 } else { n });
/// even.close(&halved.filter("again", 1, |n| n % 2 == 0 && *n > 0));
/// halved.filter("done", 1, |n| n % 2 == 1).transactional_sink("odd", 1, EncodedSink::new());
/// let job = job.build()?;
/// assert_eq!(job.loops().back_edges().count(), 1);
/// # Ok::<(), cutwater::dataflow::BuildError>(())
/// ```
///
/// It is closed with records of its own type, and once:
///
/// ```compile_fail,E0308
/// use cutwater::dataflow::{JobBuilder, Replay};
///
/// let job = JobBuilder::new("text");
/// let again = job.feedback::<u64>("again");
/// again.close(&job.source("lines", Replay::<String>::new(), 1, 1));
/// ```
///
/// Watermarks do not go round: event time advances in a loop as the inputs from outside say, and what comes
/// round may be late. The last watermark, which says that input has ended, waits until the loop has.
#[must_use = "a feedback that is not closed is a build error"]
pub struct Feedback<T> {
    graph: Rc<RefCell<Graph>>,
    feedback: usize,
    _records: PhantomData<fn() -> T>,
}

impl<T> Feedback<T> {
    /// Adds a feedback to the graph.
    pub(crate) fn of_new(graph: &Rc<RefCell<Graph>>, name: &str) -> Self {
        let feedback = graph.borrow_mut().add_feedback(name);
        Self { graph: Rc::clone(graph), feedback, _records: PhantomData }
    }

    /// The records that will be fed back. How they are spread over subtasks is said here, by whoever reads
    /// them: as with any stream.
    pub fn stream(&self) -> Stream<T> {
        Stream {
            graph: Rc::clone(&self.graph),
            origin: Origin::Feedback(self.feedback),
            partition: Partition::Forward,
            _records: PhantomData,
        }
    }

    /// Feeds the records of `stream` back. How that stream spreads its records plays no part.
    pub fn close(self, stream: &Stream<T>) {
        let mut graph = self.graph.borrow_mut();
        let feedback = graph.feedback_name(self.feedback);
        if !Rc::ptr_eq(&self.graph, &stream.graph) {
            graph.mistake.get_or_insert(BuildError::ForeignFeedback { feedback });
            return;
        }
        match stream.origin {
            Origin::Node(node, output) => graph.close_feedback(self.feedback, (node, output)),
            Origin::Feedback(_) => {
                graph.mistake.get_or_insert(BuildError::FeedbackOfFeedback { feedback });
            }
        }
    }
}

impl<T> fmt::Debug for Feedback<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feedback").field("feedback", &self.feedback).finish_non_exhaustive()
    }
}
