package scan

import (
	"bufio"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// maxTargets is how many one scan has.
const maxTargets = 100_000

// targets reads those of the command line and of --targets.
func (o *options) targets(cmd *cobra.Command, args []string) ([]flags.Target, error) {
	if o.from != "" {
		lines, err := readLines(o.from, cmd.InOrStdin())
		if err != nil {
			return nil, err
		}
		args = append(args, lines...)
	}
	var all []flags.Target
	for _, arg := range args {
		some, err := expand(arg)
		if err != nil {
			return nil, err
		}
		if all = append(all, some...); len(all) > maxTargets {
			return nil, report.Usagef("these are more than %d targets; scan some at a time", maxTargets)
		}
	}
	if len(all) == 0 {
		return nil, report.Usagef("there is no target; give HOST[:PORT], like example.com:443, or --targets FILE")
	}
	return all, nil
}

// ports is a range at the end of a target.
var ports = regexp.MustCompile(`^(.+):(\d{1,5})-(\d{1,5})$`)

// expand reads a target, and a range of ports as one target for each.
func expand(arg string) ([]flags.Target, error) {
	m := ports.FindStringSubmatch(arg)
	if m == nil || strings.HasPrefix(arg, "unix:") {
		at, err := flags.ParseTarget(arg)
		return []flags.Target{at}, err
	}
	from, _ := strconv.Atoi(m[2]) // digits
	to, _ := strconv.Atoi(m[3])
	if from < 1 || to > 65535 || from > to {
		return nil, report.Usagef("%q is not a range of ports; give the lower one first, like example.com:8000-8100", arg)
	}
	var all []flags.Target
	for port := from; port <= to; port++ {
		at, err := flags.ParseTarget(m[1] + ":" + strconv.Itoa(port))
		if err != nil {
			return nil, err
		}
		all = append(all, at)
	}
	return all, nil
}

// readLines reads targets, one a line. What follows a # is a remark.
func readLines(name string, stdin io.Reader) ([]string, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, report.Usagef("--targets: %v", err)
		}
		defer f.Close()
		in = f
	}
	var lines []string
	for s := bufio.NewScanner(in); ; {
		if !s.Scan() {
			if err := s.Err(); err != nil {
				return nil, report.Usagef("--targets: %v", err)
			}
			return lines, nil
		}
		line, _, _ := strings.Cut(s.Text(), "#")
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
}
