package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/proxy/access"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/convert"
)

// origins are what import reads.
var origins = []string{"stunnel", "hitch", "ghostunnel"}

// newImport makes the subcommand import.
func newImport() *cobra.Command {
	var from string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Make a configuration of one for stunnel, hitch or ghostunnel",
		Long: `Read a configuration of stunnel or hitch, or the command line of ghostunnel,
from FILE (- is standard input), and write it as YAML. With --from ghostunnel
the arguments may stand behind -- in place of a file.

Each line that has no equivalent is named on standard error, with what to do.
Where leaving it out would let more in than before, REPLACE stands in its place:
no proxy starts with that. The exit code is 1 if anything is named.`,
		Example: `  vitrine proxy import stunnel.conf > proxy.yaml
  vitrine proxy import --from hitch /etc/hitch/hitch.conf
  vitrine proxy import --from ghostunnel -- server --listen :8443 \
    --target 127.0.0.1:8080 --keystore server.p12 --cacert ca.pem \
    --allow-cn client`,
		Args: func(cmd *cobra.Command, args []string) error {
			if from == "ghostunnel" && cmd.ArgsLenAtDash() == 0 && len(args) > 0 {
				return nil
			}
			return flags.Arguments(1, 1, "vitrine proxy import stunnel.conf")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runImport(cmd, from, args, asJSON) },
	}
	cmd.Flags().StringVar(&from, "from", "", "the `program` that it is for: stunnel, hitch or ghostunnel (default: by the name and the text)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write the YAML as one text in JSON, and what is named beside it")
	flags.CompleteFrom(cmd, "from", origins)
	return cmd
}

func runImport(cmd *cobra.Command, from string, args []string, asJSON bool) error {
	name := args[0]
	var r *convert.Result
	var err error
	if cmd.ArgsLenAtDash() == 0 {
		name = "ghostunnel"
		r, err = convert.Ghostunnel(args)
	} else {
		var data []byte
		if data, err = content(cmd, name); err != nil {
			return err
		}
		r, err = convertFrom(from, name, data)
	}
	if err != nil {
		return report.Usagef("%s: %v", name, err)
	}
	out, err := config.Write(r.Config)
	if err != nil {
		return err
	}
	made := Converted{YAML: string(out), Notes: []string{}}
	for _, n := range r.Notes {
		made.Notes = append(made.Notes, name+":"+n.String())
	}
	for _, p := range config.Check(r.Config, config.Rules(access.CheckRule)) {
		made.Notes = append(made.Notes, "what was written: "+p.String())
	}
	if err := made.write(cmd, asJSON); err != nil {
		return err
	}
	if len(made.Notes) > 0 {
		return report.Reported(errors.New("not all could be taken over"))
	}
	return nil
}

// convertFrom converts what is for a program; empty: by the name of the file and its text.
func convertFrom(from, name string, data []byte) (*convert.Result, error) {
	for _, origin := range origins {
		if from == "" && strings.Contains(filepath.Base(name), origin) {
			from = origin
		}
	}
	switch begin := bytes.TrimSpace(data); {
	case from != "":
	case bytes.HasPrefix(begin, []byte("server ")) || bytes.HasPrefix(begin, []byte("client --")) || bytes.HasPrefix(begin, []byte("ghostunnel ")):
		from = "ghostunnel"
	case bytes.Contains(data, []byte("frontend")):
		from = "hitch"
	default:
		from = "stunnel"
	}
	switch from {
	case "stunnel":
		return convert.Stunnel(data)
	case "hitch":
		return convert.Hitch(data)
	case "ghostunnel":
		return convert.Ghostunnel(strings.Fields(string(data)))
	}
	return nil, fmt.Errorf("--from %q is not known; choose stunnel, hitch or ghostunnel", from)
}
