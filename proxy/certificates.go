package proxy

import (
	"context"
	"net"
	"sync"

	"github.com/vitrine-tls/vitrine/certcheck/fetch"
	"github.com/vitrine-tls/vitrine/proxy/certs"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/tls"
)

// certify gives own its certificates. Those that a plan before has opened go on, and their files
// are read again: one that is wrong refuses the plan.
func (n *plan) certify(t *config.ServerTLS, own *tls.Config) error {
	if len(t.Certificates) == 0 { // pre-shared keys alone
		return nil
	}
	of := []any{"certificates", t.Certificates, t.NoStapling}
	source, release, anew, err := share(&n.p.shared, of, func() (*certs.Source, func(), error) { return n.p.openCertificates(t) })
	if err != nil {
		return err
	}
	n.closes, n.sources = append(n.closes, release), append(n.sources, source)
	if !anew {
		if err := source.Reload(); err != nil {
			return err
		}
	}
	own.GetCertificate, own.GetConfigForClient = source.GetCertificate, source.GetConfigForClient
	return nil
}

func (p *Proxy) openCertificates(t *config.ServerTLS) (*certs.Source, func(), error) {
	o := certs.Options{Report: p.hooks.Certificate, Development: p.options.Development, LoadPair: p.options.LoadPair, HTTPListener: p.takenHTTP}
	if !t.NoStapling {
		o.Fetcher = &fetch.Client{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	source, err := certs.Open(ctx, t.Certificates, o)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	var running sync.WaitGroup
	p.onceRunning(ctx, func() {
		source.Obtain() // in folders of the user that this process has become
		running.Go(func() { source.Run(ctx) })
	})
	return source, func() {
		cancel()
		source.Close()
		running.Wait()
	}, nil
}

// takenHTTP is the listener for http-01 that the process before had at addr; nil where there is none.
func (p *Proxy) takenHTTP(addr string) net.Listener {
	if list := p.taken.take(forHTTP01 + addr); len(list) > 0 {
		return list[0]
	}
	return nil
}
