//! The figures of this door.

use metrics::{counter, gauge};

use crate::service::stream::End;

/// An open stream, counted until it is dropped.
pub(super) struct Open(&'static str);

impl Open {
    pub(super) fn count(form: &'static str) -> Self {
        gauge!("livechatlog_streams_open", "form" => form).increment(1.0);
        Self(form)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        gauge!("livechatlog_streams_open", "form" => self.0).decrement(1.0);
    }
}

/// Counts a frame that was sent.
pub(super) fn sent(bytes: usize) {
    counter!("livechatlog_stream_frames_total").increment(1);
    counter!("livechatlog_stream_bytes_total").increment(bytes as u64);
}

/// Counts the end of a stream; without a reason, the client has gone.
pub(super) fn ended(end: Option<End>) {
    let code = end.map_or("gone", End::code);
    counter!("livechatlog_stream_closes_total", "code" => code).increment(1);
}
