package demo_test

import (
	"fmt"
	"testing"

	"hospay/lab/demo"
	"hospay/sim/all"
)

func TestAt_IsWhereTheSimulatorsServe(t *testing.T) {
	at := demo.At("127.0.0.1", 9101)
	want := map[string]string{"wechat": at.WeChat, "alipay": at.Alipay, "his": at.HIS, "portal": at.Portal}
	for _, row := range all.Simulators {
		if address, used := want[row.Name]; used && address != fmt.Sprintf("http://127.0.0.1:%d", 9101+row.Offset) {
			t.Errorf("%s is sought at %s and serves at offset %d", row.Name, address, row.Offset)
		}
		delete(want, row.Name)
	}
	if len(want) > 0 {
		t.Errorf("no simulator serves %v", want)
	}
}
