package e2e

import (
	"fmt"
	"strings"
	"testing"

	"hospay/internal/idno"
	"hospay/lab/testapp"
)

// TestProxy_PrincipalsWithOtherPapers: HIS finds them by the number in its one
// form, whatever way it was typed; a passport has one page.
func TestProxy_PrincipalsWithOtherPapers(t *testing.T) {
	permit := "81000019940823002" + idno.Checksum("81000019940823002")
	star := "91112419810803002" + idno.Checksum("91112419810803002")
	for _, c := range []struct{ name, paper, no, typed, text string }{
		{"护照", "03", "EA1234567", "ea 123-4567", "护照"},
		{"旧版永久居留身份证", "11", "USA110085010112", "usa110085010112", "外国人永久居留身份证"},
		{"新版永久居留身份证", "11", star, star, "外国人永久居留身份证"},
		{"港澳台居民居住证", "12", permit, strings.ToLower(permit), "港澳台居民居住证"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := testapp.New(t, testapp.Config{})
			a.Sims.World.Reissue("P0005", c.paper, c.no)
			p := a.Login("P0001", "wechat")
			res := p.ApplyProxy("P0005", "immobile", map[string]any{"principal_id_type": c.paper, "principal_id_no": c.typed})
			if res.Status != 200 || res.Text("principal_id_type") != c.paper || strings.Contains(string(res.Raw), c.no) {
				t.Fatalf("%d %s", res.Status, res.Raw)
			}
			view := a.Call("GET", "/api/hospay/proxies/"+res.Text("id"), p.Token, nil)
			if back := strings.Contains(fmt.Sprint(view.Body["missing"]), "principal_id_back"); back != (c.paper != "03") {
				t.Errorf("the other side of a %s: %s", c.text, view.Raw)
			}
			wantRefusal(t, "另一种证件", p.ApplyProxy("P0005", "immobile", map[string]any{"principal_id_no": "E1"}), 400, "id_no_invalid")
			wantRefusal(t, "格式不符", p.ApplyProxy("P0005", "immobile", map[string]any{"principal_id_type": c.paper, "principal_id_no": "E1"}), 400,
				"paper_no_invalid")
		})
	}
}
