package reconcile

// Kind is what is wrong with an order (差异类型).
type Kind uint8

// The kinds in the order of their weight: the first that applies names the
// difference, the others are told beside it.
const (
	None Kind = iota
	Duplicate
	OnlyPlatform
	OnlyChannel
	OnlyHIS
	MissingPlatform
	MissingChannel
	MissingHIS
	Amount
	State
	WrongChannel
	Method
	Card
	Time
	DayCut
	kinds
)

var kindNames = [kinds][2]string{
	None: {"", "一致"}, Duplicate: {"duplicate", "重复"},
	OnlyPlatform: {"only_platform", "平台单边"}, OnlyChannel: {"only_channel", "渠道单边"}, OnlyHIS: {"only_his", "HIS单边"},
	MissingPlatform: {"missing_platform", "平台缺失"}, MissingChannel: {"missing_channel", "渠道缺失"}, MissingHIS: {"missing_his", "HIS缺失"},
	Amount: {"amount", "金额不符"}, State: {"state", "状态不符"}, WrongChannel: {"channel", "渠道不符"},
	Method: {"method", "方式不符"}, Card: {"card", "卡号不符"}, Time: {"time", "时间不符"}, DayCut: {"day_cut", "跨日"},
}

// Kinds lists the kinds in the order of their weight.
func Kinds() []Kind {
	var all []Kind
	for k := Duplicate; k < kinds; k++ {
		all = append(all, k)
	}
	return all
}

// String is the name in files.
func (k Kind) String() string { return kindNames[k][0] }

// Chinese is the name on forms.
func (k Kind) Chinese() string { return kindNames[k][1] }

// Lacks reports whether the kind says no more than that a book lacks the order.
func (k Kind) Lacks() bool { return k >= OnlyPlatform && k <= MissingHIS }
