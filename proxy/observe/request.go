package observe

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/vitrine-tls/vitrine/proxy/event"
)

// requestFailed says why a request was answered by this proxy. The client reads the same id. One that
// repeats another is told at the level debug.
func (j *journal) requestFailed(c *event.Connection, r event.Request) {
	level := slog.LevelWarn
	if !j.again.first(j.now(), fmt.Sprintf("request failed: %d", r.Status), networkOf(c.Peer)) {
		level = slog.LevelDebug
	}
	if !j.log.Enabled(context.Background(), level) {
		return
	}
	j.log.Log(context.Background(), level, "request failed",
		slog.String("request", r.ID), slog.Int("status", r.Status), slog.Uint64("connection", c.ID), slog.String("peer", peerOf(c.Peer)),
		slog.String("listener", c.Listener), slog.String("method", r.Method), slog.String("host", r.Host), slog.String("path", r.Path),
		slog.String("failure", wordsFor(r.Err).failure))
}
