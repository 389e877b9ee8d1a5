//! What somebody outside asks of the coordinator, when its time has come.

use super::aims::Aims;
use crate::cluster::Message;
use crate::cluster::message::Request;
use crate::plan::Plan;
use crate::protocol::RequestNumber;
use crate::trace::Event;

/// The requests of a plan that have not been made yet.
#[derive(Clone, Debug)]
pub struct Petitions {
    aims: Aims,
    /// How many requests to resume are still to be made.
    resumes: usize,
}

impl Petitions {
    /// Those of a plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let resumes = plan.requests.iter().filter(|planned| planned.request == Request::Resume);
        let resumes = resumes.count();
        Self { aims: Aims::new(plan.requests.iter().map(|planned| &planned.when)), resumes }
    }

    /// Whether anybody waits for an event of this kind.
    #[must_use]
    pub fn is_watching(&self, event: &Event) -> bool {
        self.aims.is_watching(event)
    }

    /// The requests that are made right after this event, by their place in the plan.
    pub fn handle_event(&mut self, event: &Event) -> Vec<usize> {
        self.aims.handle_event(event)
    }

    /// Whether a job that is stopped now may be resumed.
    #[must_use]
    pub fn may_resume(&self) -> bool {
        self.resumes > 0
    }

    /// A request is made.
    pub fn message(&mut self, plan: &Plan, place: usize) -> Message {
        let request = plan.requests[place].request;
        self.resumes -= usize::from(request == Request::Resume);
        Message::Request {
            number: RequestNumber(u16::try_from(place).unwrap_or(u16::MAX)),
            request,
        }
    }
}
