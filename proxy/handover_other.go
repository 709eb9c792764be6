//go:build !unix

package proxy

import "errors"

var errNoHandover = errors.New("proxy: process.handover: sockets cannot be handed over on this system")

// handover is not possible here.
type handover struct{}

func (p *Proxy) takeOver(string, string, inherited) error { return errNoHandover }
func (p *Proxy) offerHandover(string, string) error       { return errNoHandover }
func (p *Proxy) publish() error                           { return nil }
func (h *handover) close()                                {}
