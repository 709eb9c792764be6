package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/wire"
)

// trouble is what goes wrong below TLS, of which the library knows nothing: in
// plain words, and what to do on each side. %s is the address or the name.
type trouble struct {
	match          func(error) bool
	is             string
	client, server string
	cause          string // of a diagnosis, whose advice is that for a client
}

// troubles: the first row that matches counts.
var troubles = []trouble{
	{isDNS(func(e *net.DNSError) bool { return e.IsNotFound }), "there is no host of the name %s",
		"", "give an address of this machine with --listen", "no-such-name"},
	{isDNS(func(e *net.DNSError) bool { return e.IsTimeout }), "the name %s could not be looked up: this machine's DNS server does not answer",
		"", "give an address of this machine with --listen", "dns"},
	{isA[*net.DNSError], "the name %s could not be looked up: this machine's DNS server fails",
		"", "give an address of this machine with --listen", "dns"},
	{is(syscall.ENOENT), "there is no socket of that name: %s", "check the path, and that the server runs", "", ""},
	{is(syscall.ECONNREFUSED), "%s refused the connection", "", "", "port-closed"},
	{is(syscall.ENETUNREACH), "no network leads to %s from here", "", "", "unreachable"},
	{is(syscall.EHOSTUNREACH), "%s cannot be reached", "check the address, and that the machine is on", "", ""},
	{is(syscall.ECONNRESET), "the connection was closed by force", closedByForce,
		"the client, or something between us, closed the connection by force", ""},
	{is(syscall.EPIPE), "the connection was closed by force", closedByForce,
		"the client, or something between us, closed the connection by force", ""},
	{is(syscall.EADDRINUSE), "%s is taken", "", "another program listens there; choose another address with --listen", ""},
	{is(syscall.EADDRNOTAVAIL), "%s is not an address of this machine", "", "choose one of its own with --listen, or :PORT for all of them", ""},
	{is(syscall.EACCES), "%s is not for this user", "", "ports below 1024 need more rights; choose a higher one with --listen", ""},
	{isTimeout, "no answer came in time",
		"check that the port is a TLS port, or wait longer with --timeout",
		"the client connected but did not finish its handshake in time", ""},
}

const closedByForce = "perhaps a firewall, or a server that fails on this ClientHello"

// troubleOf finds the row for err.
func troubleOf(err error) (t trouble, ok bool) {
	if isA[*fs.PathError](err) { // of a file: the network is not the reason
		return trouble{}, false
	}
	for _, t := range troubles {
		if t.match(err) {
			return t, true
		}
	}
	return trouble{}, false
}

// sentence is the trouble in words.
func (t trouble) sentence(err error) string {
	where := "the address"
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Addr != nil {
		where = e.Addr.String()
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		where = e.Name
	}
	return strings.Replace(t.is, "%s", where, 1)
}

// Plain is what err says, without the names of system calls.
func Plain(err error) string { return inWords(err.Error(), err) }

// plain is an error of the network, or any other, without the words of Go.
func plain(err error) string {
	if e, ok := errors.AsType[*diagnose.ProxyError](err); ok {
		one := *e
		one.Err = errors.New(plain(e.Err))
		return one.Error()
	}
	if e, ok := errors.AsType[*net.AddrError](err); ok && strings.HasPrefix(e.Err, "no suitable address") {
		return e.Addr + " has no address of the kind that was asked for: -4 and -6 choose it"
	}
	if isA[*fs.PathError](err) {
		return inWords(err.Error(), err)
	}
	if t, ok := troubleOf(err); ok {
		return t.sentence(err)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Sprintf("the network fails: %v", op.Err)
	}
	return strings.TrimPrefix(err.Error(), "tls: ")
}

func (t trouble) advice(we wire.Role) string {
	return pick(we, cmp.Or(t.client, diagnose.Advice(t.cause)), t.server)
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func isDNS(kind func(*net.DNSError) bool) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*net.DNSError](err)
		return ok && kind(e)
	}
}

func isTimeout(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout() || errors.Is(err, context.DeadlineExceeded)
}
