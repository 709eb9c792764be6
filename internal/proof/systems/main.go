// Command systems checks that the module compiles for other systems and processors, without
// compiling: it reads the types of every package and test from source, and runs the checks of go
// vet over the module. To compile all that the module depends on, once for each system, takes ten
// times as long.
//
//	go run ./internal/proof/systems OS/ARCH...
//
// What only an assembler or a linker can see stays unseen; a release builds for each system.
package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/analysis/suite/vet"
	"golang.org/x/tools/go/packages"
)

func main() {
	if err := check(os.Stdout, ".", os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "systems:", err)
		os.Exit(1)
	}
}

// check writes what is wrong for any of the systems in the module that dir belongs to, a line
// each, and fails if there was anything.
func check(w io.Writer, dir string, systems []string) error {
	if len(systems) == 0 {
		return errors.New("name at least one system, such as linux/386 or windows/amd64")
	}
	found := 0
	for _, system := range systems {
		faults, err := faultsOn(dir, system)
		if err != nil {
			return fmt.Errorf("%s: %w", system, err)
		}
		for _, fault := range faults {
			fmt.Fprintln(w, fault)
		}
		found += len(faults)
		fmt.Fprintf(w, "%s: %d faults\n", system, len(faults))
	}
	if found > 0 {
		return fmt.Errorf("%d faults", found)
	}
	return nil
}

// faultsOn returns what is wrong with the module's packages and tests on one system, without
// repetition: a package and its test are checked both.
func faultsOn(dir, system string) ([]string, error) {
	goos, goarch, ok := strings.Cut(system, "/")
	if !ok {
		return nil, errors.New("want OS/ARCH, such as linux/386")
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	loaded, err := packages.Load(&packages.Config{
		Mode:  packages.LoadAllSyntax | packages.NeedModule,
		Dir:   root,
		Env:   append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0"),
		Tests: true,
		ParseFile: func(files *token.FileSet, name string, source []byte) (*ast.File, error) {
			return parse(files, name, source, strings.HasPrefix(name, root+string(filepath.Separator)))
		},
	}, "./...")
	if err != nil {
		return nil, err
	}
	if len(loaded) == 0 {
		return nil, errors.New("no package found")
	}
	faults := map[string]bool{}
	for p := range packages.Postorder(loaded) {
		if p.Module != nil && p.Module.Main {
			for _, fault := range p.Errors {
				faults[fmt.Sprintf("%s: %v", system, fault)] = true
			}
		}
		p.IllTyped = false // it says that bodies are missing, see parse
	}
	if len(faults) == 0 {
		if err := vetted(system, loaded, faults); err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(faults)), nil
}

// parse reads a file. The bodies of functions count in the module alone, and in the main function
// that go test writes: of what the module depends on, the types are enough, and take a tenth of
// the time. That these packages then lack bodies, and import what they do not use, is no fault.
func parse(files *token.FileSet, name string, source []byte, bodies bool) (*ast.File, error) {
	file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution|parser.ParseComments)
	if file == nil || bodies || file.Name.Name == "main" {
		return file, err
	}
	for _, declaration := range file.Decls {
		if function, ok := declaration.(*ast.FuncDecl); ok {
			function.Body = nil
		}
	}
	return file, err
}

// vetted adds to faults what the checks of go vet say.
func vetted(system string, loaded []*packages.Package, faults map[string]bool) error {
	graph, err := checker.Analyze(vet.Suite, loaded, nil)
	if err != nil {
		return err
	}
	for _, action := range graph.Roots {
		if action.Err != nil {
			return fmt.Errorf("%s of %s: %w", action.Analyzer, action.Package.PkgPath, action.Err)
		}
		for _, diagnostic := range action.Diagnostics {
			at := action.Package.Fset.Position(diagnostic.Pos)
			faults[fmt.Sprintf("%s: %v: %s", system, at, diagnostic.Message)] = true
		}
	}
	return nil
}
