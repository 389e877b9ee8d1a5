//! What somebody outside asks of the coordinator, when its time has come.

use crate::cluster::Message;
use crate::cluster::message::ToCoordinator;
use crate::plan::Plan;
use crate::protocol::{RequestNumber, Term};

/// The requests of a plan that have not been made yet.
#[derive(Clone, Debug)]
pub struct PlannedRequests {
    /// How many requests to resume are still to be made.
    resumes: usize,
    /// The newest reign: what older ones say of the end of the job is not so.
    term: Term,
}

impl PlannedRequests {
    /// Those of a plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let resumes = plan.requests.iter().filter(|planned| planned.request.resumption().is_some());
        Self { resumes: resumes.count(), term: Term(0) }
    }

    /// A coordinator reigns.
    pub fn handle_leadership_taken(&mut self, term: Term) {
        self.term = self.term.max(term);
    }

    /// Whether the run ends with a job that was stopped under this reign: nobody will resume it.
    #[must_use]
    pub fn is_over(&self, term: Term) -> bool {
        self.resumes == 0 && term >= self.term
    }

    /// A request is made.
    pub fn message(&mut self, plan: &Plan, place: usize) -> Message {
        let request = plan.requests[place].request;
        self.resumes -= usize::from(request.resumption().is_some());
        Message::Coordinator(ToCoordinator::Request {
            number: RequestNumber(u16::try_from(place).unwrap_or(u16::MAX)),
            request,
        })
    }
}
