// Soak runs the checks that take too long for every change: how the library
// behaves under load and under hostile peers, over hours of fuzzing, and in
// tests run one by one.
//
//	go run ./interop/soak                  all sections, one after another
//	go run ./interop/soak -only load,fuzz  some of them
//	go run ./interop/soak -list            what there is
//
// It ends with a table of figures, as Markdown for docs/conformance.md. The
// exit status is 1 if a section failed or a figure is not what is wanted.
//
// It runs on Linux, from anywhere in this module, and wants the machine to
// itself: figures measured beside other work are the machine's, not ours.
//
// To add a section, write a file with its run function and add its row to
// sections in sections.go.
package main
