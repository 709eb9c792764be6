package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

// Folders in which the process could not write once it serves are told before it starts.
func TestRightsToFolders(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root becomes another user")
	}
	at, err := os.MkdirTemp("", "vitrine-rights")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(at) })
	closed := filepath.Join(at, "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(at, "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(at, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	account, err := config.Process{User: "nobody"}.Account()
	if err != nil {
		t.Skip(err)
	}
	if err := os.Chmod(at, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(open, account.UID, account.GID); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ handover, traces, listen, wrong string }{
		{open + "/handover", open + "/traces", open + "/listen", ""},
		{open + "/handover", at + "/traces", at + "/listen", ""}, // root makes the one, and opens the other
		{open + "/handover", closed, open + "/listen", "traces.folder: user"},
		{open + "/handover", closed + "/traces", open + "/listen", "may not enter " + closed},
		{open + "/handover", at + "/file", open + "/listen", "/file is not a folder"},
		{closed + "/handover", open + "/traces", open + "/listen", "process.handover: user"},
		{at + "/none/handover", open + "/traces", open + "/listen", "process.handover: the folder " + at + "/none is missing"},
		{open + "/handover", open + "/traces", at + "/none/listen", "listeners[0].listen[0]: the folder " + at + "/none is missing"},
	} {
		yaml := strings.NewReplacer("HANDOVER", c.handover, "TRACES", c.traces, "LISTEN", c.listen).Replace(`
listeners: [{listen: ["unix:LISTEN"], target: t}]
targets: {t: {addresses: ["127.0.0.1:1"], tls: {insecure: true}}}
traces: {failures: true, folder: TRACES}
process: {user: nobody, handover: HANDOVER}
`)
		err := config.Check(mustParse(t, yaml), config.Rights()).Err()
		switch {
		case c.wrong == "" && err != nil:
			t.Errorf("%s\n%v", yaml, err)
		case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
			t.Errorf("%s\n%v, and not %q", yaml, err, c.wrong)
		}
	}
}
