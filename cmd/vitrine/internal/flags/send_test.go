package flags

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestSend(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hello")
	if err := os.WriteFile(file, []byte(`a\n`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args  []string
		want  string
		given bool
		wrong string
	}{
		{nil, "", false, ""},
		{[]string{"--send", "none"}, "", true, ""},
		{[]string{"--send", `EHLO me\r\n\tx\\n`}, "EHLO me\r\n\tx\\n", true, ""},
		{[]string{"--send", "@" + file}, `a\n` + "\n", true, ""},
		{[]string{"--send", file}, file, true, ""}, // a text that looks like a file is a text
		{[]string{"--send", "@" + file + "x"}, "", true, "no such file"},
		{[]string{"--send", ""}, "", true, "say none"},
	} {
		cmd, f := &cobra.Command{}, &Send{}
		f.Register(cmd, "something")
		if err := cmd.ParseFlags(c.args); err != nil {
			t.Fatal(err)
		}
		got, given, err := f.Load(cmd)
		if string(got) != c.want || given != c.given || (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%q: %q, %v, %v", c.args, got, given, err)
		}
	}
}

func TestPortsOfOtherProtocols(t *testing.T) {
	for port, want := range map[string]string{"993": "IMAP", "443": "", "8443": "", "80": "", "40001": "", "5432": "PostgreSQL"} {
		if got := OtherProtocol(port); got != want {
			t.Errorf("%s: %q", port, got)
		}
	}
}
