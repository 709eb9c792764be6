//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is a hundredth of a second: the unit of /proc/PID/stat (USER_HZ).
const tick = time.Second / 100

// members are the processes of a program: all of its group.
func (r *running) members() (list []string) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		if f := statFields(name); len(f) > 2 && f[2] == strconv.Itoa(r.cmd.Process.Pid) {
			list = append(list, filepath.Dir(name))
		}
	}
	return list
}

// statFields are those behind the command's name, which may hold anything: state, parent, group...
func statFields(name string) []string {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	return strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
}

// processor is the time that the program has taken so far.
func (r *running) processor() (sum time.Duration) {
	for _, dir := range r.members() {
		if f := statFields(filepath.Join(dir, "stat")); len(f) > 12 {
			user, _ := strconv.Atoi(f[11])
			system, _ := strconv.Atoi(f[12])
			sum += time.Duration(user+system) * tick
		}
	}
	return sum
}

// memory is the program's share of what it holds in memory, in bytes.
func (r *running) memory() (sum int64) {
	for _, dir := range r.members() {
		text, _ := os.ReadFile(filepath.Join(dir, "smaps_rollup"))
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == "Pss:" {
				kib, _ := strconv.ParseInt(f[1], 10, 64)
				sum += kib << 10
			}
		}
	}
	return sum
}
