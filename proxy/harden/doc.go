// Package harden takes from a proxy what it does not need once it runs: root, files, ports and
// system calls. What breaks into the process later then finds little to take hold of.
//
//	needs := harden.Of(c, "proxy.yaml")          // before anything is given away
//	report, err := harden.Apply(c.Process, needs) // when listeners and files are open
//
// [Apply] goes through these steps, each for all threads of the process:
//
//   - no core dump is written, and no debugger attaches
//   - keys stay out of swap, if they are to be in locked memory
//   - user and group are changed for good: nothing brings root back
//   - no program that is started gains rights (no_new_privs)
//   - landlock: only the files and TCP ports of [Paths] can be reached
//   - seccomp: only the system calls that a server in Go makes are answered. No program is started,
//     nothing is traced, mounted or loaded, and no code is made at run time.
//
// Landlock and seccomp are Linux's. What the kernel lacks is reported, and is an error where the
// configuration requires it. TCP ports need landlock of Linux 6.7.
//
// A reload opens files again, now without root and within the sandbox. So keys must be readable by the
// group of the user that the proxy becomes, or belong to a process of their own: see package keyprocess.
// [Paths.Beyond] says what a new configuration needs that the sandbox does not give.
package harden
