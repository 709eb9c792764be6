package proxy

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certstore"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
)

// Revocation lists alone ask nobody else; a mode does.
func TestOnlyAModeAsksTheNetwork(t *testing.T) {
	ca, err := devca.Init(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	list, err := ca.CRL(true, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "clients.crl")
	if err := os.WriteFile(file, list, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := checker("", []string{file}, nil)
	if err != nil || c.Fetcher != nil || len(c.ListsNow()) != 1 {
		t.Errorf("with lists alone: %+v, %v", c, err)
	}
	if c, err = checker("soft", []string{file}, nil); err != nil || c.Fetcher == nil {
		t.Errorf("with a mode: %+v, %v", c, err)
	}
	if c, err = checker("off", nil, nil); err != nil || c.Fetcher != nil {
		t.Errorf("off: %+v, %v", c, err)
	}
}

// What becomes of a list is told as of certificates.
func TestListsAreTold(t *testing.T) {
	var got []event.Certificate
	news := listNews(func(e event.Certificate) { got = append(got, e) })
	news("a.crl", nil)
	news("a.crl", os.ErrNotExist)
	if len(got) != 2 || got[0].What != certstore.Reloaded || got[1].What != certstore.ReloadFailed || got[1].Err == nil {
		t.Errorf("%+v", got)
	}
	if listNews(nil) != nil {
		t.Error("nobody listens, and is told")
	}
}

// The key of a client certificate is read where the others are.
func TestTheKeyForATargetIsReadElsewhere(t *testing.T) {
	asked := ""
	o := Options{LoadPair: func(cert, key string) (tls.Certificate, error) {
		asked = cert + " " + key
		return tls.Certificate{}, nil
	}}
	if _, err := clientTLS(&config.ClientTLS{Cert: "a.pem", Key: "b.pem"}, o.pairs()); err != nil || asked != "a.pem b.pem" {
		t.Errorf("%q was asked for, %v", asked, err)
	}
}
