package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

var update = flag.Bool("update", false, "write the messages of testdata anew")

// errRule is what the rules of the tests are judged by.
var errRule = errors.New(`"bad rule" is not a rule; write it like cn:client`)

func judge(rule string) error {
	if strings.HasPrefix(rule, "bad") {
		return errRule
	}
	return nil
}

// problemsOf is what is wrong with a file, one problem a line.
func problemsOf(t *testing.T, name string, options ...config.Option) config.Problems {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(data, filepath.Base(name))
	if problems, ok := errors.AsType[config.Problems](err); ok {
		return problems
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return config.Check(c, append(options, config.Rules(judge))...)
}

// golden compares what is wrong with the files of a folder with what stands beside each.
func golden(t *testing.T, dir string, options ...config.Option) {
	files, err := filepath.Glob(dir + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v in %s: %v", files, dir, err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			problems := problemsOf(t, name, options...)
			for _, p := range problems {
				if p.Line == 0 || p.What == "" || p.Remedy == "" || strings.ContainsAny(p.What+p.Remedy, "\n\x00") {
					t.Errorf("a line, a reason or a remedy is missing: %+v", p)
				}
			}
			if len(problems) == 0 {
				t.Error("nothing is wrong with it")
			}
			got, file := problems.Error()+"\n", strings.TrimSuffix(name, ".yaml")+".want"
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want, err := os.ReadFile(file); err != nil || string(want) != got {
				t.Errorf("it says\n%s, not\n%s(%v)", got, want, err)
			}
		})
	}
}

// Each bad configuration has a message with its line, the reason and the remedy.
func TestBadConfigurations(t *testing.T) { golden(t, "testdata/bad") }
