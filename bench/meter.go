package main

import (
	"runtime"
	"time"
)

// meter counts what this process spends between start and stop.
type meter struct {
	wall   time.Time
	cpu    time.Duration
	memory runtime.MemStats
}

func startMeter() *meter {
	m := &meter{}
	runtime.ReadMemStats(&m.memory)
	m.cpu, m.wall = cpuTime(), time.Now()
	return m
}

func (m *meter) stop() figures {
	wall, cpu := time.Since(m.wall), cpuTime()-m.cpu
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	return figures{
		"wall_ns":     float64(wall),
		"cpu_ns":      float64(cpu),
		"allocs":      float64(after.Mallocs - m.memory.Mallocs),
		"alloc_bytes": float64(after.TotalAlloc - m.memory.TotalAlloc),
	}
}
