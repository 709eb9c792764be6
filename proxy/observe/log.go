package observe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/wire"
)

// A journal is the log in plain words.
type journal struct {
	log         *slog.Logger
	level       slog.LevelVar
	connections atomic.Bool
	sink        *sink
	again       repeats
	now         func() time.Time

	stop chan struct{}
	done chan struct{}
	once sync.Once
}

// accepted is what the line of a connection says of its handshake.
type accepted struct {
	version    wire.Version
	suite      wire.CipherSuite
	resumption string
}

func (a *accepted) handshaken(h event.Handshake) {
	if h.State != nil {
		*a = accepted{wire.Version(h.State.Version), wire.CipherSuite(h.State.CipherSuite), resumptionOf(h.State, h.Conn)}
	}
}

// newJournal begins a log that goes to w.
func newJournal(c config.Log, w io.Writer, m *metrics) (*journal, error) {
	j := &journal{now: time.Now, stop: make(chan struct{}), done: make(chan struct{})}
	j.again.begun = make(chan struct{}, 1)
	if err := j.configured(c); err != nil {
		return nil, err
	}
	var handler func(io.Writer) slog.Handler
	switch c.Format {
	case "", "text":
		handler = func(w io.Writer) slog.Handler {
			return slog.NewTextHandler(w, &slog.HandlerOptions{Level: &j.level, ReplaceAttr: short})
		}
	case "json":
		handler = func(w io.Writer) slog.Handler {
			return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: &j.level, ReplaceAttr: harmless})
		}
	default:
		return nil, fmt.Errorf("log.format: %q is not a format; write text or json", c.Format)
	}
	direct := slog.New(handler(w))
	j.sink = newSink(w, m.linesLost, func(lost int64) {
		direct.Warn("lines of this log were lost: its reader is too slow", slog.Int64("count", lost))
	})
	j.log = slog.New(handler(j.sink))
	go j.run()
	return j, nil
}

// configured takes on what can change while the proxy runs.
func (j *journal) configured(c config.Log) error {
	level := slog.LevelInfo
	if c.Level != "" {
		if err := level.UnmarshalText([]byte(c.Level)); err != nil {
			return fmt.Errorf("log.level: %q is not a level; write debug, info, warn or error", c.Level)
		}
	}
	j.level.Set(level)
	j.connections.Store(c.Connections)
	return nil
}

// run says once in a while how often things came again.
func (j *journal) run() {
	defer close(j.done)
	var ticks <-chan time.Time // nil while nothing is remembered: a proxy at rest sleeps
	var tick *time.Ticker
	for {
		select {
		case <-j.again.begun:
			if tick == nil {
				tick = time.NewTicker(window / 6)
				ticks = tick.C
			}
		case <-ticks:
			j.sayMore(false)
			if j.again.none() {
				tick.Stop()
				tick, ticks = nil, nil
			}
		case <-j.stop:
			if tick != nil {
				tick.Stop()
			}
			return
		}
	}
}

// sayMore says how often things came again since they were said.
func (j *journal) sayMore(all bool) {
	for _, m := range j.again.due(j.now(), all) {
		about := []any{slog.String("cause", m.cause), slog.Int("count", m.count)}
		if m.cause == "" {
			about = about[1:]
		}
		if m.network != "" {
			about = append(about, slog.String("network", m.network))
		}
		j.log.Warn(fmt.Sprintf("%d more like it", m.count), about...)
	}
}

// close says what is left to say.
func (j *journal) close(ctx context.Context) error {
	j.once.Do(func() { close(j.stop) })
	<-j.done
	j.sayMore(true)
	return j.sink.close(ctx)
}

// acceptFailed says why a listener gets no connections.
func (j *journal) acceptFailed(listener string, err error) {
	failure := plain(err)
	if !j.log.Enabled(context.Background(), slog.LevelError) || !j.again.first(j.now(), "no connection could be taken: "+failure, "") {
		return
	}
	j.log.Error("no connection could be taken, and it is tried again", slog.String("listener", listener), slog.String("failure", failure))
}

// failed says why a handshake failed.
func (j *journal) failed(c *event.Connection, h event.Handshake, why outcome) {
	if !j.log.Enabled(context.Background(), slog.LevelWarn) || !j.again.first(j.now(), "handshake failed: "+string(why), networkOf(c.Peer)) {
		return
	}
	about := []any{slog.String("peer", peerOf(c.Peer)), slog.String("listener", c.Listener)}
	name := c.ServerName
	if name == "" && h.Conn != nil {
		name = h.Conn.ConnectionState().ServerName
	}
	if name != "" {
		about = append(about, slog.String("server_name", name))
	}
	w := wordsFor(h.Err)
	if h.Conn != nil && h.Conn.ConnectionState().Version == 0 && why == cut {
		w.advice = "" // it has seen no certificate that it could distrust
	}
	about = append(about, slog.String("outcome", string(why)), slog.String("failure", w.failure))
	for _, more := range []struct{ key, value string }{{"ours", w.ours}, {"theirs", w.theirs}, {"advice", w.advice}} {
		if more.value != "" {
			about = append(about, slog.String(more.key, more.value))
		}
	}
	j.log.Warn("handshake failed", about...)
}

// refusals are the reasons for which connections are turned away, in words, and what to do.
var refusals = map[event.Reason]struct{ says, advice string }{
	event.TooMany:        {"as many connections are open as there may be in all", "raise limits.connections if the machine can bear it"},
	event.TooManyOfPeer:  {"this address has as many connections as one may have", "raise limits.per-address if many people share an address"},
	event.TooManyWaiting: {"too many handshakes wait for their turn", "raise limits.handshakes if there are processors to spare"},
	event.NoMemory:       {"the memory that may be used is used up", "raise limits.memory"},
	event.NoRoute:        {"no route is for what the client asks for, and there is no target for the rest", "add a route, or set target"},
	event.NotAllowed:     {"the client's identity meets no rule", "add a rule to allow if it is to come in"},
	event.BadHeader:      {"the PROXY header is wrong or missing", "have the balancer send one, or leave its network out of proxy-protocol.from"},
	event.BadStartTLS:    {"the client did not come to TLS as the protocol of starttls asks for", "have the client use STARTTLS; bytes behind its request are an attack, or a broken client"},
	event.Stopping:       {"this proxy is stopping", ""},
}

// advised is an error that knows better than its reason what to do.
type advised interface {
	error
	Advice() string
}

// refused says that a connection was turned away.
func (j *journal) refused(listener string, peer net.Addr, why event.Reason, err error) {
	level := slog.LevelWarn
	if why == event.Stopping {
		level = slog.LevelInfo
	}
	if !j.log.Enabled(context.Background(), level) || !j.again.first(j.now(), "connection refused: "+string(why), networkOf(peer)) {
		return
	}
	about := []any{slog.String("peer", peerOf(peer)), slog.String("listener", listener), slog.String("reason", string(why))}
	if w := refusals[why]; w.says != "" {
		says := w.says
		if err != nil {
			says += ": " + wordsFor(err).failure
		}
		about = append(about, slog.String("failure", says))
		advice := w.advice
		if judged, is := errors.AsType[advised](err); is {
			advice = judged.Advice()
		}
		if advice != "" {
			about = append(about, slog.String("advice", advice))
		}
	}
	j.log.Log(context.Background(), level, "connection refused", about...)
}

// unreached says that a target could not be reached.
func (j *journal) unreached(t event.Target) {
	if j.again.first(j.now(), fmt.Sprintf("target %q cannot be reached at %s", t.Name, t.Address), "") {
		j.log.Warn("target cannot be reached", slog.String("target", t.Name), slog.String("address", t.Address), slog.String("failure", wordsFor(t.Err).failure))
	}
}

// closed is the line of a connection.
func (j *journal) closed(c *event.Connection, r event.Result, a *accepted) {
	about := []any{slog.Uint64("connection", c.ID), slog.String("peer", peerOf(c.Peer)), slog.String("listener", c.Listener)}
	if a.version != 0 {
		about = append(about, slog.String("version", a.version.String()), slog.String("cipher_suite", a.suite.String()), slog.String("resumed", a.resumption))
	}
	for _, more := range []struct{ key, value string }{
		{"server_name", c.ServerName}, {"alpn", c.ALPN}, {"identity", c.Identity}, {"target", c.Target},
	} {
		if more.value != "" {
			about = append(about, slog.String(more.key, more.value))
		}
	}
	about = append(about, slog.Int64("received", r.Received), slog.Int64("sent", r.Sent), slog.Duration("took", r.Took))
	if r.Err != nil {
		about = append(about, slog.String("failure", wordsFor(r.Err).failure))
	}
	j.log.Info("connection", about...)
}

func (j *journal) health(target, address string, up bool, why error) {
	about := []any{slog.String("target", target), slog.String("address", address)}
	switch {
	case up:
		j.log.Info("target is up", about...)
	case why != nil:
		j.log.Warn("target is down", append(about, slog.String("failure", wordsFor(why).failure))...)
	default:
		j.log.Warn("target is down", about...)
	}
}

func (j *journal) reloaded(err error) {
	if err != nil {
		j.log.Error("the new configuration is refused, and the old one goes on", slog.String("failure", err.Error()))
		return
	}
	j.log.Info("the new configuration is in force")
}

// certificate says what became of one. A failure that goes on is not said again and again.
func (j *journal) certificate(c event.Certificate) {
	about := []any{slog.String("source", c.Source), slog.String("names", strings.Join(c.Names, " "))}
	if !c.Until.IsZero() {
		about = append(about, slog.Time("expires", c.Until))
	}
	if c.Err == nil {
		j.log.Info("certificate: "+c.What, about...)
		return
	}
	if j.again.first(j.now(), fmt.Sprintf("certificate %q: %s", c.Source, c.What), "") {
		j.log.Warn("certificate: "+c.What, append(about, slog.String("failure", wordsFor(c.Err).failure))...)
	}
}

// operationKeys is the operation of package session/fleet that brings the keys of tickets up to date.
const operationKeys = "keys"

func (j *journal) storeFailed(operation string, err error) {
	if j.again.first(j.now(), "session store: "+operation, "") {
		says := "session store: clients make full handshakes"
		if operation == operationKeys { // those that are there go on sealing, for a time
			says = "session store: the keys of tickets are not brought up to date; clients resume with those that this process has"
		}
		j.log.Warn(says, slog.String("operation", operation), slog.String("failure", wordsFor(err).failure))
	}
}

func peerOf(a net.Addr) string {
	if a == nil {
		return "unknown"
	}
	return a.String()
}

// mostLogged is how many bytes of one text are logged: much of it is what strangers send.
const mostLogged = 1 << 10

// short is a slog.HandlerOptions.ReplaceAttr. The text format quotes what is not printable.
func short(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindString {
		return a
	}
	if s := a.Value.String(); len(s) > mostLogged {
		a.Value = slog.StringValue(fmt.Sprintf("%s... (%d bytes)", strings.ToValidUTF8(s[:mostLogged], "?"), len(s)))
	}
	return a
}

// harmless is short for JSON, which lets pass what moves a terminal's cursor or turns the
// direction of text: such text is quoted inside.
func harmless(groups []string, a slog.Attr) slog.Attr {
	a = short(groups, a)
	if a.Value.Kind() == slog.KindDuration { // which JSON would have in nanoseconds
		a.Value = slog.Float64Value(a.Value.Duration().Seconds())
	}
	if a.Value.Kind() == slog.KindString {
		if s := a.Value.String(); strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
			a.Value = slog.StringValue(strconv.Quote(s))
		}
	}
	return a
}
