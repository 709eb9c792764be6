package harden

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// allowed are the system calls of a server in Go, with and without cgo: systemd's @system-service without
// what starts programs, changes identities, makes namespaces or reads other processes. Names that an
// architecture does not have are left out. Some are allowed under conditions only; see [conditions].
var allowed = strings.Fields(`
	arch_prctl brk cacheflush clock_getres clock_gettime clock_nanosleep exit exit_group futex futex_waitv
	get_robust_list getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getrandom getresgid getresuid
	getrlimit getsid gettid gettimeofday getuid membarrier munmap nanosleep pause restart_syscall
	rseq rt_sigreturn sched_getaffinity sched_yield set_robust_list set_tid_address time sched_getparam sched_getscheduler
	mremap madvise mincore mlock mlock2 mlockall munlock munlockall msync sysinfo uname umask getcpu capget getpriority
	close close_range dup dup2 dup3 lseek pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readv write writev
	access chdir chmod creat faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fcntl fdatasync flock
	fstat fstatfs fsync ftruncate getcwd getdents getdents64 getxattr fgetxattr lgetxattr ioctl
	inotify_add_watch inotify_init inotify_init1 inotify_rm_watch link linkat lstat mkdir mkdirat newfstatat open openat openat2
	readlink readlinkat rename renameat renameat2 rmdir stat statfs statx symlink symlinkat sync sync_file_range truncate
	unlink unlinkat utime utimensat utimes copy_file_range
	epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 poll ppoll pselect6 select
	accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg
	sendmsg sendto setsockopt shutdown socketpair sendfile splice tee vmsplice pipe pipe2 memfd_create
	rt_sigaction rt_sigpending rt_sigprocmask rt_sigsuspend rt_sigtimedwait sigaltstack signalfd signalfd4
	getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime timer_settime
	timerfd_create timerfd_gettime timerfd_settime times getrusage kill tgkill tkill wait4 waitid
	pidfd_open pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo`)

// onlineOnly are those that a process without a network does without. Landlock does not govern what the first do to
// files and to other processes. The others would use a socket that was inherited, or get one from another process.
var onlineOnly = strings.Fields(`
	chmod fchmod fchmodat fchmodat2 utime utimes utimensat truncate
	kill tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_send_signal
	accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg
	sendmsg sendto setsockopt shutdown socketpair`)

// namespaces are flags of clone.
const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// sockets are the protocols of each family. Landlock does not see connections of Multipath TCP and SCTP, and Go does
// without them. They are listed rather than forbidden: the filter sees 64 bits of an argument of which the kernel
// takes 32, so that a forbidden number passes with other bits above it.
var sockets = []struct {
	family    uint64
	protocols []uint64
}{
	{unix.AF_UNIX, []uint64{0}},
	{unix.AF_INET, []uint64{0, unix.IPPROTO_TCP, unix.IPPROTO_UDP}},
	{unix.AF_INET6, []uint64{0, unix.IPPROTO_TCP, unix.IPPROTO_UDP}},
	{unix.AF_NETLINK, []uint64{unix.NETLINK_ROUTE}}, // interfaces are asked for by it
}

// otherTypes are the bits of all types of sockets but stream, datagram and raw: the one protocol of SOCK_SEQPACKET on
// the Internet is SCTP, which protocol 0 stands for too.
const otherTypes = 4 | 8

// conditions are calls that are allowed with some arguments. The values of one list must all hold. Each says what is
// allowed, or which bits must not be set: bits that the kernel does not look at then make a call fail, and open nothing.
func conditions(offline bool) []seccomp.NameWithConditions {
	on := func(name string, argument uint32, operation seccomp.Operation, value uint64) seccomp.NameWithConditions {
		return seccomp.NameWithConditions{Name: name, Conditions: seccomp.ArgumentConditions{{Argument: argument, Operation: operation, Value: value}}}
	}
	list := []seccomp.NameWithConditions{
		on("mmap", 2, seccomp.BitsNotSet, unix.PROT_EXEC), // no code is made at run time
		on("mprotect", 2, seccomp.BitsNotSet, unix.PROT_EXEC),
		on("prlimit64", 2, seccomp.Equal, 0), // asking, not setting
	}
	thread := on("clone", 0, seccomp.BitsNotSet, namespaces)
	thread.Conditions = append(thread.Conditions, seccomp.Condition{Argument: 0, Operation: seccomp.BitsSet, Value: unix.CLONE_THREAD})
	list = append(list, thread)
	for _, option := range []uint64{unix.PR_SET_NAME, unix.PR_GET_NAME, unix.PR_GET_DUMPABLE, unix.PR_GET_NO_NEW_PRIVS, unix.PR_SET_VMA} {
		list = append(list, on("prctl", 0, seccomp.Equal, option))
	}
	if offline {
		return list
	}
	for _, s := range sockets {
		for _, protocol := range s.protocols {
			socket := on("socket", 0, seccomp.Equal, s.family)
			socket.Conditions = append(socket.Conditions,
				seccomp.Condition{Argument: 1, Operation: seccomp.BitsNotSet, Value: otherTypes},
				seccomp.Condition{Argument: 2, Operation: seccomp.Equal, Value: protocol})
			list = append(list, socket)
		}
	}
	return list
}

// filterCalls answers every call that is not allowed with EPERM, on all threads, and lets the kernel log it. Calls of
// another architecture (32-bit ones on amd64) meet the default too, which a list of forbidden calls would let through.
func filterCalls(offline bool) error {
	info, err := arch.GetInfo("")
	if err != nil {
		return fmt.Errorf("there is no list of system calls for %s", runtime.GOARCH)
	}
	if !seccomp.Supported() {
		return errors.New("this kernel has no seccomp filters")
	}
	known := func(name string) bool { _, ok := info.SyscallNames[name]; return ok }
	filter := seccomp.Filter{NoNewPrivs: true, Flag: seccomp.FilterFlagTSync | seccomp.FilterFlagLog, Policy: seccomp.Policy{DefaultAction: seccomp.ActionErrno}}
	// Without clone3 a C library makes threads by clone, whose flags can be seen.
	if known("clone3") {
		filter.Policy.Syscalls = append(filter.Policy.Syscalls, seccomp.SyscallGroup{Names: []string{"clone3"}, Action: errno(unix.ENOSYS)})
	}
	group := seccomp.SyscallGroup{Action: seccomp.ActionAllow}
	for _, name := range allowed {
		if known(name) && !(offline && slices.Contains(onlineOnly, name)) {
			group.Names = append(group.Names, name)
		}
	}
	for _, c := range conditions(offline) {
		if known(c.Name) {
			group.NamesWithCondtions = append(group.NamesWithCondtions, c)
		}
	}
	filter.Policy.Syscalls = append(filter.Policy.Syscalls, group)

	runtime.LockOSThread() // no_new_privs is set on this thread, and spreads from it
	defer runtime.UnlockOSThread()
	err = seccomp.LoadFilter(filter)
	if errors.Is(err, unix.EINVAL) { // before Linux 4.14 nothing is logged
		filter.Flag = seccomp.FilterFlagTSync
		err = seccomp.LoadFilter(filter)
	}
	if err != nil {
		return fmt.Errorf("the filter of system calls was refused: %w", err)
	}
	return nil
}

func errno(e syscall.Errno) seccomp.Action { return seccomp.ActionErrno&^0xffff | seccomp.Action(e) }
