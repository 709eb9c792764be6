package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// maxEarly is how much early data BoringSSL takes.
const maxEarly = 14336

// takesEarly has a server take early data of whatever protocol it selects.
func (o *options) takesEarly(c *tls.Config, s *shared) {
	if o.noTicket || !o.enableEarlyData {
		return
	}
	c.EarlyData = tls.EarlyData{MaxBytes: maxEarly, Protocols: append([]string{""}, c.NextProtos...), Replay: session.SingleUse(s.store), Window: time.Minute}
}

// reasons are BoringSSL's words for why early data is not offered or not taken, by ours.
var reasons = []struct{ ours, theirs string }{
	{"there is no session to resume", "no_session_offered"},
	{"the session's ticket does not allow it", "unsupported_for_session"},
	{"is not on offer", "alpn_mismatch"},
	{"the session is not of TLS 1.3", "unsupported_for_session"},
	{"the server asks for another ClientHello", "hello_retry_request"},
	{"the server does not take the session", "session_not_resumed"},
	{"the server does not say in its EncryptedExtensions", "peer_declined"},
	{"this server takes none", "disabled"},
	{"no session is resumed", "session_not_resumed"},
	{"the ticket does not allow it", "unsupported_for_session"},
	{"we ask for another ClientHello", "hello_retry_request"},
	{"the application protocol is ", "alpn_mismatch"},
	{"the age of the ticket is off by", "ticket_age_skew"},
}

// reason is why early data was not used, in BoringSSL's words.
func (o *options) reason(conn endpoint, w *watch) string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	state := conn.State()
	switch {
	case state.EarlyData == "accepted":
		return "accept"
	case state.Version < wire.TLS13:
		return "protocol_version"
	case !o.enableEarlyData:
		return "disabled"
	}
	for _, r := range reasons {
		if strings.Contains(w.early, r.ours) {
			return r.theirs
		}
	}
	if o.server && !w.offersPSK {
		return "no_session_offered"
	}
	return "peer_declined"
}

var skew = regexp.MustCompile(`off by (-?[0-9.a-z]+)`)

// skewed is by how many seconds the age of the ticket was off.
func (w *watch) skewed() (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	found := skew.FindStringSubmatch(w.early)
	if found == nil {
		return 0, nil
	}
	d, err := time.ParseDuration(found[1])
	return int(d.Round(time.Second).Seconds()), err
}

// handshakeEarly is the handshake with early data: a client sends its first message so, and a
// server sends back what comes, inverted. done says that the first message is sent.
func (o *options) handshakeEarly(conn endpoint, w *watch) (done bool, err error) {
	if m, quic := conn.(*mockQUIC); quic && o.enableEarlyData {
		return m.handshakeEarly()
	}
	own, records := conn.(*tls.Conn)
	switch {
	case !o.enableEarlyData || !records:
		return false, conn.Handshake()
	case !o.server:
		return own.HandshakeEarly(context.Background(), []byte(o.initialWrite))
	}
	early, err := own.AcceptEarly(context.Background())
	if err != nil || early == nil {
		return false, err
	}
	buf := make([]byte, 512)
	for {
		n, err := early.Read(buf)
		if err == io.EOF {
			return false, conn.Handshake()
		}
		if err != nil {
			return false, err
		}
		invert(buf[:n])
		if _, err := early.Write(buf[:n]); err != nil {
			return false, err
		}
	}
}

func invert(b []byte) {
	for i := range b {
		b[i] ^= 0xff
	}
}

// earlyData checks what became of it.
func (o *options) earlyData(conn endpoint, w *watch) error {
	got := conn.State().EarlyData
	w.mutex.Lock()
	offered := w.offered
	w.mutex.Unlock()
	skewed, err := w.skewed()
	if err != nil {
		return err
	}
	return firstFailure([]check{
		{!o.expect.acceptEarly || got == "accepted", "early data is " + got + ", expected to be accepted"},
		{!o.expect.rejectEarly || got != "accepted", "early data is accepted, expected to be rejected"},
		{!o.expect.noOfferEarly || !offered, "early data was offered"},
		{o.expect.earlyReason == "" || o.expect.earlyReason == o.reason(conn, w), fmt.Sprintf("the reason is %s, expected %s: %s", o.reason(conn, w), o.expect.earlyReason, w.early)},
		{o.expect.skew == nil || *o.expect.skew == skewed, fmt.Sprintf("the ticket's age is off by %d", skewed)},
	})
}

// supportsEarly checks the ticket that a client got last.
func (o *options) supportsEarly(w *watch) error {
	if !o.expect.ticketEarly {
		return nil
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.saved == nil {
		return nil
	}
	_, state, err := w.saved.ResumptionState()
	if err == nil && (state == nil || !state.EarlyData) {
		err = errors.New("the ticket does not support early data")
	}
	return err
}

// refused reports that a client's early data was.
func (w *watch) refused() bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.offered && w.refusal
}
