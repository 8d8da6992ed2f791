package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// written is how many bytes a process has written so far.
func written(pid int) (n int64, err error) {
	told, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	for _, line := range strings.Split(string(told), "\n") {
		if rest, ok := strings.CutPrefix(line, "wchar: "); ok {
			n, err = strconv.ParseInt(rest, 10, 64)
		}
	}
	return n, err
}

// measureIdle watches a server that nobody asks anything, once it has come to
// rest.
func (b *bench) measureIdle(name string, load time.Duration) error {
	time.Sleep(20 * time.Second)
	span := max(20*load, time.Minute)
	worked := used(b.server.Process.Pid)
	before, err := written(b.server.Process.Pid)
	if err != nil {
		return err
	}
	time.Sleep(span)
	after, err := written(b.server.Process.Pid)
	if err != nil {
		return err
	}
	b.add("idle, "+name+", processor", 100*(used(b.server.Process.Pid)-worked).Seconds()/span.Seconds(), "% of one", "< 0.5")
	b.add("idle, "+name+", written", float64(after-before)/1024/span.Minutes(), "KiB/min", "")
	return nil
}
