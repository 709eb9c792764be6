package serve

import (
	"context"
	"log/slog"
	"time"

	"github.com/vitrine-tls/vitrine/certstore"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

const (
	// lookEvery is how often the files of --cert are looked at.
	lookEvery = 2 * time.Second
	// firstStaples bounds how long the first client waits for OCSP responses.
	firstStaples = 3 * time.Second
)

// follow looks after the files of --cert and of --delegated-credential until stop is called.
func follow(config *tls.Config, pairs []certstore.Pair, credentials *delegates, log *slog.Logger) (stop func(), err error) {
	end := func() {}
	if len(pairs) > 0 {
		if end, err = keep(config, pairs, log); err != nil {
			return nil, err
		}
	}
	leave := credentials.watch(log)
	return func() { leave(); end() }, nil
}

// keep has config take the certificates of --cert from their files, in the state of each
// moment, with OCSP responses stapled to them. It looks after both until stop is called.
func keep(config *tls.Config, pairs []certstore.Pair, log *slog.Logger) (stop func(), err error) {
	store, err := certstore.Open(pairs, certstore.Options{
		Interval: lookEvery, Fetcher: flags.Answers(), Report: func(e certstore.Event) { logKept(log, e) },
	})
	if err != nil {
		return nil, report.Usagef("--cert: %v", err)
	}
	config.Certificates, config.GetCertificate = nil, store.GetCertificate
	ctx, cancel := context.WithTimeout(context.Background(), firstStaples)
	store.Look(ctx)
	cancel()
	ctx, cancel = context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		store.Run(ctx)
	}()
	return func() { cancel(); <-done }, nil
}

// kept are the words for what happens to a certificate that is kept.
var kept = map[string]struct {
	text  string
	level slog.Level
}{
	certstore.Reloaded:     {"certificate reloaded", slog.LevelInfo},
	certstore.ReloadFailed: {"certificate not reloaded: the one from before serves on", slog.LevelWarn},
	certstore.Stapled:      {"OCSP response stapled", slog.LevelInfo},
	certstore.StapleFailed: {"no new OCSP response to staple", slog.LevelWarn},
	certstore.Revoked:      {"clients refuse this server: its certificate is revoked", slog.LevelWarn},
}

func logKept(log *slog.Logger, e certstore.Event) {
	words := kept[e.What]
	fields := []any{slog.String("file", e.Pair.Cert), slog.String("subject", e.Leaf.Subject.String()), slog.Time("expires", e.Leaf.NotAfter)}
	if e.Err != nil {
		fields = append(fields, slog.String("failure", report.Describe(e.Err, wire.Server, nil).Text))
	}
	log.Log(context.Background(), words.level, words.text, fields...)
	if e.What == certstore.Reloaded {
		warnOf(log, ofServer, e.Leaf, true)
	}
}
