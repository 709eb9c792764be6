package tls

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// After Close the keys of both directions are gone from the Conn, the secrets that
// stay are those that SECURITY.md names, and nothing can be sent or opened.
func TestCloseWipes(t *testing.T) {
	for _, version := range bothVersions {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		at(version, client, server)
		c, s := mustConnect(t, client, server)
		sent := make(chan error, 1)
		go func() {
			_, err := c.Write([]byte("x"))
			sent <- err
		}()
		if _, err := s.Read(make([]byte, 1)); err != nil || <-sent != nil {
			t.Fatal(err)
		}
		for _, conn := range []*Conn{c, s} {
			if got := secretsOf(conn); len(got) < 5 {
				t.Fatalf("%s: before Close there are %q", VersionName(version), got)
			}
			conn.Close()
			for _, name := range secretsOf(conn) {
				if !strings.HasPrefix(name, "result.Secrets.") {
					t.Errorf("%s: %s is left", VersionName(version), name)
				}
			}
		}
	}
}

// secretsOf names the secrets in conn that are not zero.
func secretsOf(conn *Conn) (names []string) {
	roots := map[string]reflect.Value{"engine": reflect.ValueOf(conn.engine).Elem(), "result": reflect.ValueOf(conn.engine.Result()).Elem()}
	for _, path := range []string{"engine.in.half.key", "engine.in.half.iv", "engine.in.half.mac",
		"engine.out.half.key", "engine.out.half.iv", "engine.out.half.mac",
		"result.Secrets.Master", "result.Secrets.Resumption"} {
		root, rest, _ := strings.Cut(path, ".")
		v := roots[root]
		for _, field := range strings.Split(rest, ".") {
			v = v.FieldByName(field)
		}
		if !v.IsZero() {
			names = append(names, path)
		}
	}
	return names
}

// SECURITY.md says of each of these what becomes of it.
func TestWipingIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## What is wiped\n")
	table, _, _ = strings.Cut(table, "\n## ")
	for _, row := range []string{"Keys and traffic secrets of the two directions", "Keys that wait to be used", "State of a handshake", "`Result.Secrets`", "Ephemeral private keys",
		"Secrets of a session", "Ticket keys", "Cipher objects"} {
		if !strings.Contains(table, "| "+row) {
			t.Errorf("the table has no row for %s", row)
		}
	}
}
