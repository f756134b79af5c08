"""Codes of languages with three letters, and usual scripts of the languages with two letters.

>>> TO_TWO_LETTERS["hrv"], TO_TWO_LETTERS["ger"], TO_TWO_LETTERS["iw"]
('hr', 'de', 'he')

Of ISO 639-2 (both of its lists) and 639-3, whose codes of single languages stand for a group as
files of FLORES, LASER and Wikipedia use them. Dari (`prs`) and Cantonese (`yue`) stay apart.
"""

from __future__ import annotations

_CODES = (
    "aa:aar ab:abk ae:ave af:afr ak:aka am:amh an:arg ar:ara,arb as:asm av:ava ay:aym,ayr "
    "az:aze,azj ba:bak be:bel bg:bul bi:bis bm:bam bn:ben bo:bod,tib br:bre bs:bos ca:cat ce:che "
    "ch:cha co:cos cr:cre cs:ces,cze cu:chu cv:chv cy:cym,wel da:dan de:deu,ger dv:div dz:dzo "
    "ee:ewe el:ell,gre en:eng eo:epo es:spa et:est,ekk eu:eus,baq fa:fas,per,pes ff:ful,fuv "
    "fi:fin fj:fij fo:fao fr:fra,fre fy:fry ga:gle gd:gla gl:glg gn:grn gu:guj gv:glv ha:hau "
    "he:heb,iw hi:hin ho:hmo hr:hrv ht:hat hu:hun hy:hye,arm hz:her ia:ina id:ind,in ie:ile "
    "ig:ibo ii:iii ik:ipk io:ido is:isl,ice it:ita iu:iku ja:jpn jv:jav,jw ka:kat,geo kg:kon "
    "ki:kik kj:kua kk:kaz kl:kal km:khm kn:kan ko:kor kr:kau ks:kas ku:kur,kmr kv:kom kw:cor "
    "ky:kir la:lat lb:ltz lg:lug li:lim ln:lin lo:lao lt:lit lu:lub lv:lav,lvs mg:mlg,plt mh:mah "
    "mi:mri,mao mk:mkd,mac ml:mal mn:mon,khk mr:mar ms:msa,may,zsm mt:mlt my:mya,bur na:nau "
    "nb:nob nd:nde ne:nep,npi ng:ndo nl:nld,dut nn:nno no:nor nr:nbl nv:nav ny:nya oc:oci oj:oji "
    "om:orm,gaz or:ori,ory os:oss pa:pan pi:pli pl:pol ps:pus,pbt pt:por qu:que,quy rm:roh rn:run "
    "ro:ron,rum,mo ru:rus rw:kin sa:san sc:srd sd:snd se:sme sg:sag si:sin sk:slk,slo sl:slv "
    "sm:smo sn:sna so:som sq:sqi,alb,als sr:srp ss:ssw st:sot su:sun sv:swe sw:swa,swh ta:tam "
    "te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl,fil tn:tsn to:ton tr:tur ts:tso tt:tat tw:twi "
    "ty:tah ug:uig uk:ukr ur:urd uz:uzb,uzn ve:ven vi:vie vo:vol wa:wln wo:wol xh:xho "
    "yi:yid,ydd,ji yo:yor za:zha zh:zho,chi,cmn zu:zul"
)
TO_TWO_LETTERS = {
    written: code
    for code, _, others in (entry.partition(":") for entry in _CODES.split())
    for written in others.split(",")
}
# Languages of FLORES-200 and of some other data sets. Those whose codes are words of file names
# too are not here: `min`, `new`, `sat`, `war` ...
_OTHERS = (
    "acm acq ady aeb ajp apc ary arz awa azb bbj bcl bem bho bjn bxr bzd cbk cdo ceb ckb cni "
    "crh crs dik diq dsb dty dyu frr gcf glk gom gsw hak haw hch hif hil hne hsb ilo inh kaa "
    "kab kac kbd kbp kea kmb knc koi kok kpv krl ksh lez lfn lij lmo ltg luo lus lzh mdf mhr "
    "mni mrj mwl myv mzn nds nij nso nus olo pap pcm pnb prs quc quz rup sah scn shn shp skr "
    "srn stq syr szl taq tcy tet tpi tvl tyv tzm udm umb vls vro wuu xal xmf yue zea zgh zza"
)
WITHOUT_TWO_LETTERS = frozenset(_OTHERS.split())

# ISO 15924; written in Latin where a language is not here. Chinese is written in two, of which
# neither is the usual one.
_SCRIPTS = (
    "arab:ar,fa,ks,ps,sd,ug,ur aran:ur armn:hy beng:as,bn cans:cr,iu "
    "cyrl:ab,av,ba,be,bg,ce,cu,cv,kk,kv,ky,mk,mn,os,ru,sr,tg,tt,uk deva:hi,mr,ne,pi,sa ethi:am,ti "
    "geor:ka grek:el gujr:gu guru:pa hang:ko hebr:he,yi jpan:ja khmr:km knda:kn kore:ko laoo:lo "
    "mlym:ml mymr:my orya:or sinh:si taml:ta telu:te thaa:dv thai:th tibt:bo,dz yiii:ii"
)
_USUAL: dict[str, set[str]] = {"zh": set()}
for _script, _, _languages in (entry.partition(":") for entry in _SCRIPTS.split()):
    for _language in _languages.split(","):
        _USUAL.setdefault(_language, set()).add(_script)


def is_usual_script(language: str, script: str) -> bool:
    """Whether a language, by its code of two letters, is usually written in a script.

    >>> is_usual_script("hr", "latn"), is_usual_script("sr", "latn"), is_usual_script("zh", "hans")
    (True, False, False)
    """
    return script in _USUAL.get(language, {"latn"})
