//! The sessions of MCP clients over HTTP, of which there are only so many.
//!
//! A session is some 50 kB, opening one takes no token where none is set, and it lives until it has
//! been idle for half an hour. So the one that was idle longest makes room for a new one: its client
//! is answered 404, upon which clients begin a new session (MCP, Streamable HTTP, session management).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::Stream;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_server::session::local::{LocalSessionManager, SessionConfig};
use rmcp::transport::streamable_http_server::session::{
    ServerSseMessage, SessionId, SessionManager,
};
use tokio::time::Instant;

/// After so long without a word a session is over.
const IDLE: Duration = Duration::from_mins(30);
/// How many there are at most.
pub(crate) const MAX_SESSIONS: usize = 256;

type Inner = LocalSessionManager;
type Failed = <Inner as SessionManager>::Error;

/// Sessions in memory, at most `MAX_SESSIONS`.
#[derive(Debug)]
pub struct Sessions {
    inner: Inner,
    /// When each was last heard of.
    used: Mutex<HashMap<SessionId, Instant>>,
}

impl Sessions {
    pub(crate) fn new() -> Self {
        let mut config = SessionConfig::default();
        config.keep_alive = Some(IDLE);
        let mut inner = Inner::default();
        inner.session_config = config;
        Self { inner, used: Mutex::default() }
    }

    /// Notes that a session that there is was heard of.
    fn heard(&self, id: &SessionId) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(used) = used.get_mut(id) {
            *used = Instant::now();
        }
    }

    /// Notes a new session; gives the longest idle one where that makes too many.
    fn opened(&self, id: SessionId) -> Option<SessionId> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = used.iter().min_by_key(|(_, used)| **used).map(|(id, _)| id.clone());
        let idle = idle.filter(|_| used.len() >= MAX_SESSIONS);
        if let Some(idle) = &idle {
            used.remove(idle);
        }
        used.insert(id, Instant::now());
        idle
    }

    #[cfg(test)]
    pub(crate) async fn open(&self) -> usize {
        self.inner.sessions.read().await.len()
    }
}

impl SessionManager for Sessions {
    type Error = Failed;
    type Transport = <Inner as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Failed> {
        let (id, transport) = self.inner.create_session().await?;
        if let Some(idle) = self.opened(id.clone()) {
            tracing::warn!(
                most = MAX_SESSIONS,
                "too many MCP sessions: the longest idle is closed"
            );
            self.inner.close_session(&idle).await?;
        }
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Failed> {
        self.inner.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Failed> {
        self.heard(id);
        self.inner.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Failed> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        self.inner.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Failed> {
        self.inner.create_stream(id, message).await
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), Failed> {
        self.inner.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Failed> {
        self.inner.create_standalone_stream(id).await
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Failed> {
        self.inner.resume(id, last_event_id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_longest_idle_makes_room() {
        let sessions = Sessions::new();
        let mut transports = Vec::new();
        let mut ids = Vec::new();
        for _ in 0..MAX_SESSIONS {
            let (id, transport) = sessions.create_session().await.unwrap();
            transports.push(transport);
            ids.push(id);
        }
        assert!(sessions.has_session(&ids[0]).await.unwrap(), "the first is heard of again");
        let (new, _transport) = sessions.create_session().await.unwrap();
        assert_eq!(sessions.open().await, MAX_SESSIONS);
        let mut there = Vec::new();
        for id in [&ids[0], &ids[1], &new] {
            there.push(sessions.has_session(id).await.unwrap());
        }
        assert_eq!(there, [true, false, true]);
        sessions.close_session(&new).await.unwrap();
        assert_eq!(sessions.open().await, MAX_SESSIONS - 1);
    }
}
