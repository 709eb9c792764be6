// Package negative checks the tests: it breaks the library on purpose, one rule
// at a time, and sees whether the tests notice.
//
// The defects are in defects/*.txt, one file for each layer, each defect with
// what it opens, the tests that must notice, and the change as a diff:
//
//	== the name of the defect
//	What an attacker gets by it, and the rule that it breaks.
//	test internal/record TestKnownRecords
//	--- internal/record/aead.go
//	 	a line that stays
//	-	a line that goes
//	+	a line that comes
//
// The sources are not touched: the changed copy lies in a folder for temporary
// files, and go build -overlay puts it in the place of the file. A diff whose old
// lines are not there exactly once is an error, so a defect cannot be forgotten
// when the code around it changes. There may be several "test" lines, and several
// diffs.
//
// A defect counts as caught where every test that is named fails by what it
// asserts. A copy that does not compile, a panic and a timeout do not count. The
// same tests must pass without the defect.
//
// In go test every defect is applied and compiled, and the first of each layer is
// run. go test ./internal/proof/negative -all, or go run ./interop/soak -only negative,
// runs them all; -only takes those whose names match a regular expression.
package negative
