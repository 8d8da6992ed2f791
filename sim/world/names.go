package world

// known are the names of the first twenty. Surnames differ, so that a rule that
// mixes people up is seen: P0001 is the mother of P0002, and P0013 of P0007, a
// child with its father's surname. P0005 and P0015 have names with a dot, P0014
// and P0020 are foreigners, P0016 has a surname of two characters, and P0017
// and P0018 are two people of one name.
var known = []string{
	"林若溪", "周一诺", "赵德昌", "孙晓芸", "阿依古丽·买买提", "吴建邦", "陈沐辰", "韩玉珍", "冯志远", "曹雪莹",
	"郑海燕", "卓玛央金", "何婉宁", "MARIA SANTOS", "迪丽努尔·艾合买提", "欧阳文博", "王秀英", "王秀英", "董立群", "JOHN MICHAEL SMITH",
}

// Names of the people to whom the accounts of P0019 and P0020 belong.
const (
	strangerAtAlipay = "邵子豪"
	strangerAtWechat = "罗天佑"
)

var (
	surnames = []rune("李张刘杨黄徐马朱胡郭高梁宋唐许邓傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯")
	middles  = []rune("晓文思雨子佳俊志明海春秋建国玉秀桂淑振永")
	lasts    = []rune("涵轩怡然睿琪瑶浩宇彤萍凯")
	dotted   = []string{"古丽娜尔", "艾力", "努尔兰", "热依汗", "帕提古丽", "吐尔逊", "木合塔尔", "阿不都", "祖丽胡马尔", "买买提江"}
	abroad   = []string{"ANNA", "PETER", "FATIMA", "KENJI", "OLGA", "CARLOS", "AMINA", "LUKAS"}
	families = []string{"IVANOVA", "MUELLER", "TANAKA", "GARCIA", "OKAFOR", "ROSSI", "KHAN"}
)

// nameOf gives a person a name by the number alone.
func nameOf(i int) string {
	if i <= len(known) {
		return known[i-1]
	}
	pick := func(from []string, n int) string { return from[n%len(from)] }
	switch {
	case i%29 == 0:
		return pick(abroad, i/29) + " " + pick(families, i/29/len(abroad))
	case i%17 == 0:
		return pick(dotted, i/17) + "·" + pick(dotted, i/17/len(dotted)+3)
	}
	name := []rune{surnames[i%len(surnames)], middles[i/7%len(middles)], lasts[i/3%len(lasts)]}
	if i%11 == 0 {
		name = name[:2]
	}
	return string(name)
}
