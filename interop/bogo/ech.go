package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
)

// ech is what the flags ask of Encrypted Client Hello.
type ech struct {
	keys           []tls.EncryptedClientHelloKey
	list           []byte
	listSet        bool
	grease         bool
	rejectUnusable bool
	accept         bool   // expected, as are those that follow
	retry          []byte // configs to try next
	retrySet       bool
	noRetry        bool
	override       string // the name that the certificate is verified for
	noOverride     bool
}

func init() {
	last := func(o *options) *tls.EncryptedClientHelloKey { return &o.ech.keys[len(o.ech.keys)-1] }
	bytesFlag := func(f func(*options, []byte)) flag {
		return flag{true, func(o *options, v string) error {
			var b []byte
			if err := octets(func(*options) *[]byte { return &b }).set(o, v); err != nil {
				return err
			}
			f(o, b)
			return nil
		}}
	}
	for name, f := range map[string]flag{
		"ech-server-config": bytesFlag(func(o *options, b []byte) {
			o.ech.keys = append(o.ech.keys, tls.EncryptedClientHelloKey{Config: b})
		}),
		"ech-server-key": bytesFlag(func(o *options, b []byte) { last(o).PrivateKey = b }),
		"ech-is-retry-config": {true, func(o *options, v string) error {
			last(o).SendAsRetry = v == "1"
			return nil
		}},
		"ech-config-list":             bytesFlag(func(o *options, b []byte) { o.ech.list, o.ech.listSet = b, true }),
		"enable-ech-grease":           yes(func(o *options) *bool { return &o.ech.grease }),
		"reject-unusable-ech-config":  yes(func(o *options) *bool { return &o.ech.rejectUnusable }),
		"permute-extensions":          yes(func(o *options) *bool { return &o.shuffle }),
		"expect-ech-accept":           yes(func(o *options) *bool { return &o.ech.accept }),
		"expect-ech-retry-configs":    bytesFlag(func(o *options, b []byte) { o.ech.retry, o.ech.retrySet = b, true }),
		"expect-no-ech-retry-configs": yes(func(o *options) *bool { return &o.ech.noRetry }),
		"expect-ech-name-override":    text(func(o *options) *string { return &o.ech.override }),
		"expect-no-ech-name-override": yes(func(o *options) *bool { return &o.ech.noOverride }),
	} {
		flags[name] = f
	}
}

// set puts it into the Config. BoringSSL leaves out a list of which it can use nothing,
// unless told otherwise; we refuse it.
func (e *ech) set(c *tls.Config, o *options, w *watch) error {
	c.EncryptedClientHelloKeys = e.keys
	c.GREASE = c.GREASE || e.grease
	c.EncryptedClientHelloRejectionVerify = func(cs tls.ConnectionState) error {
		e := e
		if w.refused() && o.retry != nil {
			e = &o.retry.ech
		}
		if e.noOverride || e.override != "" && e.override != cs.ServerName {
			return fmt.Errorf("the certificate is verified for %q", cs.ServerName)
		}
		return nil
	}
	if e.listSet {
		_, err := tls.CheckECHConfigList(e.list)
		if err == nil || e.rejectUnusable || !strings.Contains(err.Error(), "no config that can be used") {
			c.EncryptedClientHelloConfigList = e.list
		}
	} else if e.rejectUnusable {
		return errors.New("there is no list of ECHConfigs")
	}
	return nil
}

// check compares what came of it.
func (e *ech) check(cs tls.ConnectionState) error {
	if e.accept != cs.ECHAccepted {
		return fmt.Errorf("ECH accepted: %v", cs.ECHAccepted)
	}
	return nil
}

// refused compares what a server has said that refused it.
func (e *ech) refused(err error) error {
	var rejected *tls.ECHRejectionError
	switch {
	case !errors.As(err, &rejected):
	case e.noRetry && len(rejected.RetryConfigList) > 0:
		return errors.New("the server sent configs to try again")
	case e.retrySet && !bytes.Equal(e.retry, rejected.RetryConfigList):
		return fmt.Errorf("the server's configs are %x, wanted %x", rejected.RetryConfigList, e.retry)
	}
	return err
}

// inner notes a hello that was inside another. BoringSSL reports the one that it sends
// before the one around it.
func (w *watch) inner(m trace.Inner) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	text := w.messages.String()
	word := directions[m.Dir] + " clienthelloinner\n"
	w.messages.Reset()
	const outer = "write hs 1\n"
	if before, ok := strings.CutSuffix(text, outer); ok {
		w.messages.WriteString(before + word + outer)
		return
	}
	w.messages.WriteString(text + word)
}
