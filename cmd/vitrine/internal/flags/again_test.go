package flags

import (
	"testing"

	"github.com/spf13/cobra"
)

// The command line that finds out more has what was given, and what a shell reads as it was
// given; a secret is not repeated.
func TestDiagnoseAgain(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"a.test"}, "vitrine explain --diagnose a.test:443"},
		{[]string{"[::1]:8443"}, "vitrine explain --diagnose '[::1]:8443'"},
		{[]string{"imap://a.test:1143"}, "vitrine explain --diagnose a.test:1143 --starttls imap"},
		{[]string{"imap://a.test", "--starttls", "none"}, "vitrine explain --diagnose a.test:143 --starttls none"},
		{[]string{"a.test", "-4", "--ca", "my own.pem", "--sni", ""}, "vitrine explain --diagnose a.test:443 --ca 'my own.pem' -4 --sni ''"},
		{[]string{"a.test", "--insecure=false"}, "vitrine explain --diagnose a.test:443 --insecure=false"},
		{[]string{"a.test", "--suites", "A,B", "--suites", "C:D"}, "vitrine explain --diagnose a.test:443 --suites A,B,C:D"},
		{[]string{"a.test", "--psk", "me:0011", "--psk", "you:2233"}, "vitrine explain --diagnose a.test:443 --psk me:KEY --psk you:KEY"},
		{[]string{"a.test", "--proxy", "http://me:secret@p.test:8080"}, "vitrine explain --diagnose a.test:443 --proxy http://me:PASSWORD@p.test:8080"},
		{[]string{"a.test", "--proxy", "socks5://p.test:1080"}, "vitrine explain --diagnose a.test:443 --proxy socks5://p.test:1080"},
		{[]string{"a.test", "--key=-odd.pem", "--half-close", "--send", "x"}, "vitrine explain --diagnose a.test:443 --key=-odd.pem"},
	} {
		verb := func(name string) *cobra.Command {
			cmd := &cobra.Command{Use: name, RunE: func(*cobra.Command, []string) error { return nil }}
			set := cmd.Flags()
			set.String("ca", "", "")
			set.String("sni", "", "")
			set.String("send", "", "")
			new(Insecure).Register(cmd)
			new(Identity).Register(cmd, "our")
			new(Reach).Register(cmd)
			new(TLS).Register(cmd, ClientSide)
			return cmd
		}
		root := &cobra.Command{Use: "vitrine"}
		cmd := verb("connect")
		cmd.Flags().Bool("half-close", false, "")
		root.AddCommand(cmd, verb("explain"))
		root.SetArgs(append([]string{"connect"}, c.args...))
		if err := root.Execute(); err != nil {
			t.Fatal(err)
		}
		at, err := ParseTarget(c.args[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := DiagnoseAgain(cmd, at, "send"); got != c.want {
			t.Errorf("%q: %s, want %s", c.args, got, c.want)
		}
	}
}
