// 按医院填写。home 是患者页面的地址，须在小程序后台配置为业务域名；institution 是机构代码，只有一家机构时留空。
module.exports = {
  home: 'https://hospital.example/',
  institution: '',
}
