package main

import (
	"bytes"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/root"
)

// goWords are those of Go's own parsers, which say nothing to people.
var goWords = regexp.MustCompile(`strconv|parsing|invalid syntax|time: |must be`)

// TestFlagsSayWhatTheyTake gives each flag that has a parser of pflag's own a value that it
// cannot read.
func TestFlagsSayWhatTheyTake(t *testing.T) {
	tried := 0
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			of := reflect.TypeOf(f.Value)
			if of.Kind() != reflect.Pointer || of.Elem().PkgPath() != reflect.TypeFor[pflag.Flag]().PkgPath() || strings.HasPrefix(f.Value.Type(), "string") {
				return
			}
			tried++
			fresh := root.New(verbs)
			var said bytes.Buffer
			fresh.SetErr(&said)
			fresh.SetOut(&said)
			words := append(strings.Fields(cmd.CommandPath())[1:], "--"+f.Name+"=x y")
			if code := root.Run(fresh, words); code != 2 || goWords.Match(said.Bytes()) {
				t.Errorf("%q ends with %d: %s", words, code, said.String())
			}
		})
	}
	walk(root.New(verbs))
	if tried < 60 {
		t.Errorf("only %d flags were tried", tried)
	}
}
