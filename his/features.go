package his

import (
	"fmt"
	"slices"
	"strings"
)

// feature is something about bills that a HIS offers or not. Its operations go
// together: half of them would take money and leave it there.
type feature struct {
	title   string
	ops     []string
	without string // what hospay does instead
}

var features = []feature{
	{"缴费", []string{OpBills, OpBill, OpCharge}, "患者到窗口或自助缴费机缴费"},
	{"回写查询", []string{OpTradeCheck}, "回写结果不明时转人工核对，不会自动重发"},
	{"挂号", []string{OpDepartments, OpSlots, OpLock, OpRelease}, "不提供线上挂号"},
	{"参保地", []string{OpAreas}, "只办理本院所在地的参保人"},
	{"参保与待遇", []string{OpEnrolment}, "不能医保移动支付，患者可自费或到窗口"},
	{"身份回写", []string{OpIdentity}, "不能医保移动支付，患者可自费或到窗口"},
	{"免授权冲正", []string{OpUncharge, OpUnchargeCheck}, "回写被拒绝后按医保退费处理，需要患者再次授权"},
	{"自助机凭证", []string{OpBearer}, "自助机不能扫医保码、刷社保卡，只能用身份证"},
	{"自助机医保结算", []string{OpSettle}, "自助机只能自费，医保到窗口或用手机"},
	{"退费", []string{OpRefundCheck, OpRefundNotice}, "已缴费用不能线上退，患者到窗口"},
	{"收费日账单", []string{OpCharges}, "缴费对账只核对平台与渠道，除非财务每天上传 HIS 的收费明细"},
}

// checkFeatures names what a feature lacks that a mapping has begun.
func (m Mapping) checkFeatures() error {
	var begun bool
	for _, f := range features {
		lacks := m.lacks(f.ops)
		if len(lacks) > 0 && len(lacks) < len(f.ops) {
			return fmt.Errorf("HIS 映射的功能“%s”不完整：还缺少操作 %s", f.title, strings.Join(lacks, "、"))
		}
		begun = begun || len(lacks) == 0
	}
	if pay := features[0]; begun && len(m.lacks(pay.ops)) > 0 {
		return fmt.Errorf("HIS 映射配置了缴费的其他功能，但没有“%s”：缺少操作 %s", pay.title, strings.Join(pay.ops, "、"))
	}
	return nil
}

func (m Mapping) lacks(ops []string) (out []string) {
	for _, op := range ops {
		if _, ok := m.Operations[op]; !ok {
			out = append(out, op)
		}
	}
	return out
}

func (m Mapping) has(ops ...string) bool { return len(m.lacks(ops)) == 0 }

// Feature says for IT, in Chinese, whether a mapping offers something about
// bills, and what follows where it does not.
type Feature struct {
	Title   string
	Offered bool
	Lacks   []string // operations, lists and declarations
	Without string
}

// Features are all features of a mapping.
func (m Mapping) Features() []Feature {
	var out []Feature
	for _, f := range features {
		lacks := m.lacks(f.ops)
		out = append(out, Feature{f.title, len(lacks) == 0, lacks, f.without})
	}
	medical := Feature{Title: "医保明细", Offered: m.medical(), Without: "账单不能医保移动支付，只能自费"}
	if !medical.Offered {
		medical.Lacks = []string{OpBill + " 的 lists.fees 和字段 insurable"}
	}
	again := Feature{Title: "回写幂等", Offered: m.Operations[OpCharge].Idempotent, Without: "查不到的回写不再发送，转人工"}
	if !again.Offered {
		again.Lacks = []string{OpCharge + " 的 idempotent"}
	}
	return slices.Concat(out, []Feature{medical, again})
}

// medical reports whether bills come with what the insurance asks for.
func (m Mapping) medical() bool {
	bill := m.Operations[OpBill]
	_, fees := bill.Lists["fees"]
	return fees && bill.Fields["insurable"] != ""
}
