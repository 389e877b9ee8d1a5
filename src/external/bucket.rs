//! A bucket of objects with multipart uploads, after Amazon S3.
//!
//! 1. An object appears when its upload is completed, whole and at one instant; before that its parts are durable
//!    and unseen. Parts are told by their numbers; a part that is sent again replaces the one before.
//! 2. A completed upload is forgotten: completing it again is answered with `NoSuchUpload`, like completing one
//!    that was aborted. Only a look for the object tells the two apart.
//! 3. An object under a name that is taken replaces what was there: readers do not see the old one any more.
//! 4. Uploads that nobody completes stay until somebody, or a rule of the bucket, aborts them.

use serde::{Deserialize, Serialize};

use super::row::Row;
use super::system::{ExternalSystem, Held, Request, SystemOutputs};
use crate::protocol::VirtualTime;
use crate::protocol::ordered::VecMap;
use crate::trace::SinkFault;
use crate::trace::Upkeep;

/// What a bucket is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BucketRequest {
    /// Begin an upload (`CreateMultipartUpload`): answered with [`BucketAnswer::Created`].
    Create {
        /// The name of the object.
        key: String,
    },
    /// A part of it (`UploadPart`).
    Upload {
        /// The upload.
        upload: u64,
        /// The number of the part.
        part: u32,
        /// Its content.
        rows: Vec<Row>,
    },
    /// Make the object of these parts, from 0 (`CompleteMultipartUpload`).
    Complete {
        /// The upload.
        upload: u64,
        /// How many parts.
        parts: u32,
    },
    /// Give an upload up (`AbortMultipartUpload`): answered with [`BucketAnswer::Aborted`], or
    /// [`BucketAnswer::NoSuchUpload`].
    Abort {
        /// The upload.
        upload: u64,
    },
    /// Which uploads are under way of objects whose names begin so (`ListMultipartUploads`)? Answered with
    /// [`BucketAnswer::Listed`].
    List {
        /// The beginning.
        prefix: String,
    },
    /// Is there an object under this name (`HeadObject`)?
    Head {
        /// The name.
        key: String,
    },
}

/// What a bucket answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BucketAnswer {
    /// The upload.
    Created(u64),
    /// The part is durable.
    Uploaded,
    /// The object is there.
    Completed,
    /// The upload is given up, and its parts are gone.
    Aborted,
    /// These uploads are under way, each with the name of its object.
    Listed(Vec<(String, u64)>),
    /// There is no such upload, or no more.
    NoSuchUpload,
    /// Parts are missing.
    InvalidPart,
    /// Whether the object is there.
    Found(bool),
}

#[derive(Clone, Debug)]
struct Upload {
    key: String,
    since: VirtualTime,
    parts: VecMap<u32, Vec<Row>>,
}

/// The bucket.
#[derive(Clone, Debug, Default)]
pub struct ObjectBucket {
    uploads: VecMap<u64, Upload>,
    created: u64,
    objects: VecMap<String, Vec<Row>>,
}

impl ObjectBucket {
    /// An empty bucket.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn create(&mut self, key: String, since: VirtualTime) -> BucketAnswer {
        self.created += 1;
        self.uploads.insert(self.created, Upload { key, since, parts: VecMap::new() });
        BucketAnswer::Created(self.created)
    }

    fn list(&self, prefix: &str) -> BucketAnswer {
        let is_its = |(_, upload): &(&u64, &Upload)| upload.key.starts_with(prefix);
        let uploads = self.uploads.iter().filter(is_its);
        BucketAnswer::Listed(uploads.map(|(id, upload)| (upload.key.clone(), *id)).collect())
    }

    fn upload(&mut self, upload: u64, part: u32, rows: Vec<Row>) -> BucketAnswer {
        match self.uploads.get_mut(&upload) {
            None => BucketAnswer::NoSuchUpload,
            Some(upload) => {
                upload.parts.insert(part, rows);
                BucketAnswer::Uploaded
            }
        }
    }

    fn complete(&mut self, upload: u64, parts: u32, out: &mut SystemOutputs) -> BucketAnswer {
        match self.uploads.get(&upload) {
            None => return BucketAnswer::NoSuchUpload,
            Some(upload) if (0..parts).any(|part| !upload.parts.contains_key(&part)) => {
                return BucketAnswer::InvalidPart;
            }
            Some(_) => {}
        }
        if let Some(Upload { key, parts: uploaded, .. }) = self.uploads.remove(&upload) {
            let parts = uploaded.iter().take_while(|(part, _)| **part < parts);
            let rows: Vec<Row> = parts.flat_map(|(_, rows)| rows.clone()).collect();
            let replaced = self.objects.insert(key, rows.clone()).unwrap_or_default();
            out.hide(replaced);
            out.show(rows);
        }
        BucketAnswer::Completed
    }
}

impl ExternalSystem for ObjectBucket {
    fn name(&self) -> &'static str {
        "object-bucket"
    }

    fn handle_request(&mut self, request: Request<'_>, out: &mut SystemOutputs) {
        let answer = match request.decode::<BucketRequest>() {
            Err(error) => {
                return out.refuse(request.caller, format!("no request of a bucket: {error}"));
            }
            Ok(BucketRequest::Create { key }) => self.create(key, out.now()),
            Ok(BucketRequest::Upload { upload, part, rows }) => self.upload(upload, part, rows),
            Ok(BucketRequest::Complete { upload, parts }) => self.complete(upload, parts, out),
            Ok(BucketRequest::Abort { upload }) => match self.uploads.remove(&upload) {
                Some(_) => BucketAnswer::Aborted,
                None => BucketAnswer::NoSuchUpload,
            },
            Ok(BucketRequest::List { prefix }) => self.list(&prefix),
            Ok(BucketRequest::Head { key }) => BucketAnswer::Found(self.objects.contains_key(&key)),
        };
        out.answer(request.caller, &answer);
    }

    fn handle_timer(&mut self, _: u64, _: &mut SystemOutputs) {}

    fn handle_fault(&mut self, fault: Option<SinkFault>, out: &mut SystemOutputs) {
        match fault {
            // A rule of the bucket aborts uploads that are not completed (`AbortIncompleteMultipartUpload`).
            Some(SinkFault::ExpiredTransaction) => {
                while let Some((_, upload)) = self.uploads.pop_first() {
                    out.expire(upload.parts.into_values().flatten().collect());
                }
            }
            // It knows neither producers nor transactions; answers are its host's.
            None
            | Some(
                SinkFault::TransactionTimeout
                | SinkFault::FencedProducer
                | SinkFault::DelayedCommit { .. }
                | SinkFault::HangingTransaction
                | SinkFault::RefusedCommit
                | SinkFault::UnansweredCommit
                | SinkFault::ForeignCommit,
            ) => {}
        }
    }

    /// Everything is durable.
    fn restart(&mut self, _: &mut SystemOutputs) {}

    fn held(&self) -> Vec<Held> {
        let held = self.uploads.values().map(|upload| Held {
            name: upload.key.clone(),
            since: upload.since,
            upkeep: Upkeep::Client,
            rows: upload.parts.values().flatten().cloned().collect(),
        });
        held.collect()
    }

    fn boxed_clone(&self) -> Box<dyn ExternalSystem> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
