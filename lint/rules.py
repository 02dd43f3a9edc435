"""The catalogue: every check, how bad its finding is, and what to do about it.

Ids are a rule of the packaging rules and a word for one part of it.  One row a check:
``id | severity | what is wrong | remedy | clause``.
"""

from dataclasses import dataclass

from lint.findings import Severity


@dataclass(frozen=True, slots=True)
class Check:
    id: str
    severity: Severity
    text: str
    remedy: str
    clause: str

    @property
    def rule(self) -> str:
        return self.id.partition(".")[0]


_HEADER = """
I-01.ftyp | error | the file does not begin with ftyp | write ftyp first | CMAF 7.3.1
I-01.order | error | boxes of moov are out of order | write mvhd, trak, mvex, pssh | CMAF 7.3.1
I-01.mvex | error | there is no mvex | add mvex with a trex behind the last trak | RFC 8216 3.3
I-01.tracks | warning | a header has not exactly one track | one track a header; sound apart from pictures | CMAF 7.3.1
I-02.iso6 | error | no brand iso6 or later | add iso6 or cmfc to the compatible brands | RFC 8216 3.3
I-02.minor | warning | minor_version is not 0 | write 0 under a CMAF major brand | CMAF 7.2
I-03.order | warning | boxes of a track are out of order | write them in the order of the table | CMAF 7.3.1
I-03.media | error | the media header does not fit the handler | vmhd, smhd, sthd or nmhd by hdlr | 14496-12 8.4.5
I-04.table | error | a sample table is missing | write it, empty | 14496-12 8.5
I-04.entries | error | a sample table of the header is not empty | entry_count 0 in stts, stsc, stsz, stco | CMAF 7.5.12
I-04.duration | warning | duration of mvhd or tkhd is not 0 | write 0; mehd if it is known | RFC 8216 3.3
I-05.rate | warning | rate or volume is not the default | rate 1.0, volume 1.0 | CMAF 7.5.1
I-05.matrix | warning | the matrix of tkhd is not unity | unity; rotate when encoding | CMAF 7.5.4
I-05.size | warning | tkhd has a size, and nothing is seen | width and height 0 | CMAF 7.5.4
I-06.trex | error | not one trex for each track | one trex with the track_ID | CMAF 7.5.14
I-06.media | warning | vmhd or smhd is not zero | graphicsmode, opcolor, balance 0 | CMAF 7.5.6
I-06.dref | error | dref has not one entry of flags 1 | one self-contained entry | CMAF 7.5.9
I-06.stsd | error | version of stsd is not 0 | write 0 | CMAF 7.5.10
I-07.entries | error | the edit list has not one entry | one entry with the start offset | CMAF 7.5.13
I-07.duration | warning | segment_duration of the edit is not 0 | write 0 | CMAF 7.5.13
I-07.rate | error | media_rate of the edit is not 1.0 | write 1.0 | CMAF 7.5.13
I-07.both | warning | negative composition offsets and an edit list | one of them | CMAF 9.2.1
I-08.sets | error | no parameter sets in the configuration | put them into avcC or hvcC | 14496-15 5.3.3
I-08.hvc1 | warning | parameter sets may be in band | hvc1 for HLS | Apple 1.10
I-08.record | error | no configuration record | write the record of the codec | 14496-15
I-09.es_id | warning | ES_ID is not 0 | write 0 | CMAF 10.3.4.2.3
I-09.channels | warning | channelcount is not that of the configuration | take it from AudioSpecificConfig | 14496-12 12.2.3
I-09.rate | warning | samplerate is not that of the configuration | take it from AudioSpecificConfig | 14496-12 12.2.3
I-10.timescale | warning | timescales of a switching set differ | one timescale | 23009-1 7.3.3.2
I-10.entry | warning | sample entries of a switching set differ | a set for each sample entry | 23009-1 7.3.3.2
I-10.track | warning | track_IDs of a switching set differ | one track_ID | DVB 4.3
I-11.file | error | udta or meta beside moov | leave it out | CMAF 7.5.2
I-11.metadata | note | metadata of the source is in the header | leave it out unless asked for | CMAF 7.5.2
I-12.free | note | free space is delivered | leave it out |
I-12.stable | error | a header is not the same twice | write it from the media alone |
"""

_SEGMENT = """
S-01.msdh | warning | styp lacks brand msdh | add msdh | 23009-1 6.3.4.2
S-01.lmsg | error | brand lmsg before the last segment | lmsg in the last one only | 23009-1 6.3.4.2
S-01.order | error | sidx behind the first moof | write it before | CMAF 7.4.5
S-01.emsg | warning | emsg behind the first moof | write it before | CMAF 7.4.5
S-01.header | warning | header boxes in a media segment | deliver the header apart | 23009-1 6.3.4.2
S-02.mdat | error | moof is not followed by its mdat | write them next to one another | CMAF 7.3.2.3
S-02.moof | error | mdat without a moof | leave it out | CMAF 7.3.2.3
S-02.order | error | boxes of a fragment are out of order | mfhd, traf; tfhd, tfdt, trun | CMAF 7.3.2.3
S-02.traf | warning | a fragment has not exactly one traf | one track a segment | CMAF 7.3.2.3
S-02.trun | error | traf without trun | write one | CMAF 7.5.17
S-03.track | error | track_ID is not that of the header | take it from the header | CMAF 7.5.16
S-03.offset | error | base-data-offset is present | leave it out | CMAF 7.5.16
S-03.base | error | default-base-is-moof is not set | set it | CMAF 7.5.16
S-03.data | error | trun without data-offset | write it | CMAF 7.5.17
S-03.version | error | version of trun is neither 0 nor 1 | 0 or 1 | CMAF 7.5.17
S-04.tfdt | error | no tfdt | write one in every traf | RFC 8216 3.3
S-04.sum | error | baseMediaDecodeTime is not the sum of the durations before | add them as integers | CMAF 7.3.2.2
S-05.sequence | warning | sequence_number does not increase | number of the segment and 1 | 14496-12 8.8.5
S-06.sum | error | samples do not fill mdat | sizes of trun as they are | CMAF 7.3.2.3
S-06.outside | error | a sample lies outside of mdat | data_offset from the start of moof | CMAF 7.3.2.3
S-07.lie | error | the flags call a sample sync that is none | look at the NAL units | CMAF 7.3.2.3
S-07.depends | note | a sync sample without depends_on 2 | flags 0x02000000 | 14496-12 8.8.3
S-08.gap | error | a gap or an overlap between segments | cut at sample boundaries | RFC 8216 3
S-08.gap_dash | error | a gap or an overlap between segments | cut at sample boundaries | 23009-1 4.5
S-09.open | warning | an open GOP begins a segment | cut at IDR or BLA pictures | 14496-12 I.2
S-10.count | error | more than one sidx | one | CMAF 7.3.3.3
S-10.track | error | reference_ID is no track | take it from the header | CMAF 7.3.3.3
S-10.timescale | warning | timescale of sidx is not that of mdhd | the same | CMAF 7.3.3.3
S-10.type | warning | sidx refers to other indexes | one level | CMAF 7.3.3.3
S-10.sizes | error | sizes of sidx are not those of the fragments | count the octets | CMAF 7.3.3.3
S-10.earliest | error | earliest_presentation_time is wrong | that of the first sample shown | CMAF 7.3.3.3
S-10.sap | warning | a subsegment does not start with SAP 1 or 2 | cut at IDR pictures | CMAF 7.3.3.3
S-11.scheme | error | scheme of protection is neither cenc nor cbcs | cenc or cbcs, version 0x00010000 | 23001-7 4.1
S-11.protected | note | tenc does not protect by default | 1, and seig for a clear lead | 23001-7 8.2
S-11.senc | error | cenc samples without senc | write it | 23001-7 7.2
S-11.aux | error | senc without saiz or saio | write both | 23001-7 7.1
S-11.count | error | senc has not an entry for each sample | one each | 23001-7 7.2
"""

_TRANSPORT = """
T-01.length | error | the segment is no whole number of packets | packets of 188 octets | 13818-1 2.4.3
T-01.sync | error | a packet does not start with 0x47 | packets of 188 octets | 13818-1 2.4.3
T-01.first | warning | PAT and PMT are not the first packets | write both first | RFC 8216 3.2
T-01.programs | error | more than one program | one | RFC 8216 3.2
T-01.crc | error | CRC-32 of a table is wrong | compute it | 13818-1 Annex A
T-01.version | warning | tables change from one segment to the next | the same version while nothing changes | 13818-1 2.4.4
T-02.counter | error | a continuity counter jumps inside a segment | add 1 each packet with payload | 13818-1 2.4.3.3
T-02.across | warning | a continuity counter jumps between segments | go on, or pad to 16 packets | 13818-1 2.4.3.3
T-03.absent | error | no PCR | on the video PID, or else the audio's | 13818-1 2.7.2
T-03.pid | error | PCR_PID is no stream of the program | the video PID | 13818-1 2.4.4.9
T-03.first | warning | the first packet of the PCR PID has no PCR | PCR with the first access unit | 13818-1 2.7.2
T-03.backwards | error | PCR goes back | take it from DTS | 13818-1 2.7.2
T-03.interval | warning | PCR more than 100 ms apart | at each access unit | 13818-1 2.7.2
T-03.late | error | PCR is after DTS | at or before DTS | 13818-1 2.7.2
T-04.absent | error | an access unit without PTS | write it | 13818-1 2.4.3.7
T-04.equal | note | DTS equals PTS | leave DTS out | 13818-1 2.4.3.7
T-04.before | error | PTS is before DTS | shift PTS of all | 13818-1 2.4.3.7
T-04.order | error | DTS does not increase | decoding order | 13818-1 2.4.3.7
T-06.aud | error | an access unit without a delimiter first | write one | 13818-1 2.14
T-06.units | error | several access units in one PES packet | one each | 13818-1 2.14
T-06.sets | error | parameter sets do not precede an IDR picture | repeat them before each | RFC 8216 3.2
T-06.indicator | note | random_access_indicator is not set | set it at the IDR's first packet | 13818-1 2.4.3.5
T-06.stream_id | warning | stream_id of video is not 0xE0 to 0xEF | 0xE0 | 13818-1 2.4.3.7
T-06.length | error | PES_packet_length 0 of sound | write the length | 13818-1 2.4.3.7
T-07.sync | error | no ADTS sync word where a frame begins | whole frames | 13818-7 6.2
T-07.length | error | ADTS frames do not fill the PES packet | whole frames | 13818-7 6.2
T-07.rate | error | a sampling frequency that does not exist | index by AudioSpecificConfig | 13818-7 6.2
T-08.packed | error | packed audio without a time stamp | ID3 PRIV transportStreamTimestamp | RFC 8216 3.4
T-10.length | error | an AES-128 segment is no whole number of blocks | PKCS7 over the whole segment | RFC 8216 4.3.2.4
T-09.length | error | adaptation_field_length does not fit the packet | 183 without payload, less with | 13818-1 2.4.3.5
T-09.fill | error | PES_packet_length is not what follows | stuff in the adaptation field only | 13818-1 2.4.3.7
"""

_PLAYLIST = """
P-01.utf8 | error | a playlist is not UTF-8 | UTF-8 | RFC 8216 4
P-01.bom | error | a byte order mark | leave it out | RFC 8216 4
P-01.control | error | a control character | leave it out | RFC 8216 4
P-01.twice | error | a tag that may be there once is there again | once | RFC 8216 4.3
P-01.attribute | error | an attribute list cannot be read | NAME=value, commas, quotes | RFC 8216 4.2
P-01.duplicate | error | an attribute is there twice | once | RFC 8216 4.2
P-01.mixed | error | tags of media and multivariant playlists in one | two playlists | RFC 8216 4.1
P-01.version | error | EXT-X-VERSION is too low | the number that the tags need | RFC 8216 7
P-01.type | error | Content-Type of a manifest | application/vnd.apple.mpegurl; application/dash+xml | RFC 8216 4
P-01.gzip | warning | a manifest is not compressed | answer gzip if it is accepted | Apple 8
P-02.absent | error | no TARGETDURATION | write it | RFC 8216 4.3.3.1
P-02.exceeded | error | a segment is longer than TARGETDURATION | at least the longest, rounded | RFC 8216 4.3.3.1
P-02.loose | note | TARGETDURATION is more than twice the longest segment | the longest, rounded |
P-02.differ | warning | TARGETDURATION differs between playlists | the same in all | RFC 8216 6.2.4
P-03.comma | warning | EXTINF without a comma | write it | RFC 8216 4.3.2.1
P-03.number | error | EXTINF is no number | a decimal | RFC 8216 4.3.2.1
P-03.alone | error | EXTINF without an address | leave it out | RFC 8216 4.3.2.1
P-03.missing | error | an address without EXTINF | write EXTINF | RFC 8216 4.3.2.1
P-03.empty | warning | a playlist without segments | list some |
P-03.zero | warning | EXTINF 0 | the real duration | RFC 8216 4.3.2.1
P-03.duration | error | EXTINF is not how long the segment lasts | the media's own duration | RFC 8216 4.3.2.1
P-03.drift | warning | the sum of EXTINF drifts from the media | differences of rounded times, 3 decimals | RFC 8216 4.3.2.1
P-04.type | error | PLAYLIST-TYPE is neither VOD nor EVENT | one of them | RFC 8216 4.3.3.5
P-04.endlist | error | VOD without ENDLIST | write ENDLIST | RFC 8216 4.3.3.5
P-04.untyped | warning | ENDLIST without PLAYLIST-TYPE | PLAYLIST-TYPE:VOD |
P-04.differ | error | PLAYLIST-TYPE differs between playlists | the same in all | RFC 8216 6.2.4
P-04.starts | error | playlists do not start at the same time | cut all at the same time | RFC 8216 6.2.4
P-04.late | warning | a playlist starts later than another | cut all at the same time | RFC 8216 6.2.4
P-04.lengths | error | playlists differ by more than a target duration | cut or pad the tail | RFC 8216 6.2.4
P-05.late | error | DISCONTINUITY-SEQUENCE behind a segment | before the first | RFC 8216 4.3.3.3
P-05.differ | error | discontinuities differ between playlists | the same numbers in all | RFC 8216 6.2.4
P-06.absent | error | fragmented MP4 without EXT-X-MAP | write it | RFC 8216 4.3.2.5
P-06.uri | error | EXT-X-MAP without a quoted URI | write it | RFC 8216 4.3.2.5
P-06.range | error | BYTERANGE of EXT-X-MAP | quoted, n@o | RFC 8216 4.3.2.5
P-06.byterange | error | EXT-X-BYTERANGE cannot be resolved | n@o | RFC 8216 4.3.2.2
P-07.method | error | METHOD of a key | NONE, AES-128, SAMPLE-AES, SAMPLE-AES-CTR | RFC 8216 4.3.2.4
P-07.none | error | METHOD=NONE with other attributes | METHOD alone | RFC 8216 4.3.2.4
P-07.session | error | SESSION-KEY with METHOD=NONE | leave it out | RFC 8216 4.3.4.5
P-07.uri | error | a key without a quoted URI | write it | RFC 8216 4.3.2.4
P-07.iv | error | IV of a key | 0x and 32 digits | RFC 8216 4.3.2.4
P-07.fairplay | error | FairPlay with AES-128 | SAMPLE-AES | Apple
P-08.uri | error | STREAM-INF without an address | write it in the next line | RFC 8216 4.3.4.2
P-08.bandwidth | error | no BANDWIDTH | write it | RFC 8216 4.3.4.2
P-08.average | warning | no AVERAGE-BANDWIDTH | write it | Apple 9.13
P-08.codecs | warning | no CODECS | write it | RFC 8216 4.3.4.2
P-08.resolution | warning | no RESOLUTION of video | write it | Apple 9.14
P-08.frame_rate | warning | no FRAME-RATE of video | write it with 3 decimals | Apple 9.15
P-08.group | error | a group that does not exist | list its renditions | RFC 8216 4.3.4.2
P-08.captions | error | CLOSED-CAPTIONS=NONE on some variants only | all or none | RFC 8216 4.3.4.2
P-08.range | warning | VIDEO-RANGE on some variants only | on all | Apple 9.16
P-08.unlisted | error | CODECS lacks what the media has | derive it from the configuration | RFC 8216 4.3.4.2
P-08.absent | warning | CODECS names what no rendition has | derive it from the configuration | RFC 8216 4.3.4.2
P-08.size | warning | RESOLUTION is not that of the media | the size to show | RFC 8216 4.3.4.2
P-08.rate | warning | FRAME-RATE is below that of the media | the largest rate | RFC 8216 4.3.4.2
P-09.low | error | BANDWIDTH is more than 10 % below the peak | the peak segment bit rate | RFC 8216 4.3.4.2
P-09.high | warning | BANDWIDTH is more than 10 % above the peak | the peak segment bit rate | Apple 9
P-09.average | warning | AVERAGE-BANDWIDTH is off by more than 10 % | the average segment bit rate | Apple 9
P-10.required | error | EXT-X-MEDIA without a required attribute | TYPE, GROUP-ID, NAME | RFC 8216 4.3.4.1
P-10.type | error | TYPE of EXT-X-MEDIA | AUDIO, VIDEO, SUBTITLES, CLOSED-CAPTIONS | RFC 8216 4.3.4.1
P-10.autoselect | error | DEFAULT=YES with AUTOSELECT=NO | AUTOSELECT=YES | RFC 8216 4.3.4.1
P-10.forced | error | FORCED of something else than SUBTITLES | leave it out | RFC 8216 4.3.4.1
P-10.uri | error | SUBTITLES without URI | write it | RFC 8216 4.3.4.1
P-10.captions | error | CLOSED-CAPTIONS with URI or without INSTREAM-ID | INSTREAM-ID only | RFC 8216 4.3.4.1
P-10.language | warning | a rendition without LANGUAGE | write it | Apple
P-10.channels | warning | AUDIO without CHANNELS | write it | Apple
P-10.name | error | a NAME twice in one group | different names | RFC 8216 4.3.4.1.1
P-10.default | error | several DEFAULT=YES in one group | one | RFC 8216 4.3.4.1.1
P-10.same | warning | groups of one type have different members | the same renditions in each | RFC 8216 4.3.4.1.1
P-11.required | error | I-FRAME-STREAM-INF without URI or BANDWIDTH | write it | RFC 8216 4.3.4.3
P-11.forbidden | error | an attribute that I-FRAME-STREAM-INF must not have | leave it out | RFC 8216 4.3.4.3
P-12.absent | warning | no INDEPENDENT-SEGMENTS | write it if it is true | Apple
P-12.lie | error | INDEPENDENT-SEGMENTS is not true | cut at IDR pictures, or leave it out | RFC 8216 4.3.5.1
P-13.clock | error | DATERANGE without PROGRAM-DATE-TIME | write one | RFC 8216 4.3.2.7
P-13.id | error | DATERANGE without ID | write it | RFC 8216 4.3.2.7
P-13.start | error | DATERANGE without START-DATE | write it | RFC 8216 4.3.2.7
P-13.changed | error | an attribute of a DATERANGE changes | the same for one ID | RFC 8216 4.3.2.7
P-13.negative | error | a negative duration | at least 0 | RFC 8216 4.3.2.7
P-13.next | error | END-ON-NEXT without CLASS, or with an end | CLASS, and no end | RFC 8216 4.3.2.7
P-14.form | error | DEFINE is not one of its three forms | NAME and VALUE, IMPORT, or QUERYPARAM | 8216bis 4.4.2.3
P-14.name | error | name of a variable | letters, digits, - and _; once | 8216bis 4.4.2.3
P-14.source | error | an imported variable is not there | define it above, or in the query | 8216bis 4.4.2.3
P-14.undefined | error | a variable that is not defined | define it | 8216bis 4.3
P-15.map | warning | WebVTT without X-TIMESTAMP-MAP | write it | RFC 8216 3.5
P-16.hold | error | HOLD-BACK below 3 target durations | at least 3 | 8216bis 4.4.3.8
P-16.skip | error | CAN-SKIP-UNTIL below 6 target durations | at least 6 | 8216bis 4.4.3.8
P-16.target | error | PART-INF without PART-TARGET | write it | 8216bis 4.4.3.7
P-16.part_hold | error | PART-HOLD-BACK below 2 part targets | at least 2, better 3 | 8216bis 4.4.3.8
P-16.part | error | a part is longer than PART-TARGET | at most the target | 8216bis 4.4.4.9
P-16.hint | error | PRELOAD-HINT in a playlist that has ended | leave it out | 8216bis 4.4.5.3
P-17.beyond | error | TIME-OFFSET is beyond the end | within the presentation | RFC 8216 4.3.5.2
P-17.gap | error | a segment is a gap in some playlists only | mark it in all | 8216bis 6.2.1
P-17.bitrate | warning | EXT-X-BITRATE is off by more than 10 % | that of the segment | 8216bis 4.4.4.8
P-17.offset | error | START without TIME-OFFSET | write it | RFC 8216 4.3.5.2
P-18.cache | note | an answer without Cache-Control | say how long it may be kept | RFC 9111 5.2
P-18.validator | note | a manifest without a validator | a strong ETag | RFC 9110 8.8
P-18.weak | note | a manifest with a weak ETag | a strong one | RFC 9110 8.8
P-18.type | warning | Content-Type of a segment | video/mp2t, video/mp4, audio/mp4 | RFC 8216 10
C-06.shift | warning | the first picture is not shown at 0 | negative offsets (trun version 1), or one edit | CMAF 7.5.13
C-07.tail | note | the last segment is shorter than half a target duration | join it to the one before |
C-05.start | warning | sound and picture do not start together | keep the priming, and one offset for all | CMAF 7.5.13
"""

_DASH = """
D-01.required | error | a required attribute is missing | write it | 23009-1 5.3
D-01.unique | error | an id is there twice in a Period | different ids | 23009-1 5.3.5
D-01.codecs | error | @codecs lacks what the media has | derive it from the configuration | 23009-1 5.3.7
D-01.twice | warning | an attribute on the set and on its representation | one place | IOP 3.2.4
D-02.duration | error | mediaPresentationDuration is not the sum of the Periods | add them | 23009-1 5.3.1
D-02.static | error | a static MPD with attributes of a dynamic one | leave them out | 23009-1 5.3.1
D-02.dynamic | error | a dynamic MPD lacks what it must have | write it | 23009-1 5.3.1
D-02.first | warning | the first Period of a static MPD does not start at 0 | 0 | IOP 3.2
D-03.months | error | a duration with years or months | days and less | IOP 3.2.7.4
D-03.form | error | a duration cannot be read | PnDTnHnMn.nS | xs:duration
D-03.zero | error | a Period without a length | leave it out | IOP 3.2
D-03.cover | error | segments do not cover the Period | list all | DASH-IF timing
D-04.addressing | error | a representation has no addressing that can be read | SegmentTemplate with @duration or SegmentTimeline, or SegmentBase | 23009-1 5.3.9
D-04.media | error | @media has not one of $Number$ and $Time$ | one of them | 23009-1 5.3.9.4
D-04.initialization | error | @initialization has $Number$ or $Time$ | leave them out | 23009-1 5.3.9.4
D-04.identifier | error | an identifier of a template that does not exist | RepresentationID, Number, Time, Bandwidth | 23009-1 5.3.9.4.4
D-04.timescale | warning | @timescale is not that of mdhd | the same | CMAF profile
D-05.contiguous | error | S@t leaves a gap or overlaps | t + d of the one before | 23009-1 5.3.9.6
D-05.zero | error | S@d is 0 | the real duration | 23009-1 5.3.9.6
D-05.t | error | S@t is not when the segment starts | earliest presentation time | 23009-1 5.3.9.6
D-05.duration | error | S@d is not how long the segment lasts | the media's own duration | 23009-1 5.3.9.6
D-06.nominal | error | a segment is off by more than half of @duration | cut again, do not drift | 23009-1 7.2.1
D-07.offset | error | the media does not start at presentationTimeOffset | the media time of the Period's start | 23009-1 5.3.9.2
D-08.video | note | a video set without size or frameRate | write them | IOP 3.2.4
D-08.audio | note | an audio set without lang, rate or channels | write them | IOP 3.2.4
D-08.aligned | error | segmentAlignment is not true | cut all at the same times | 23009-1 5.3.3.2
D-08.sap | error | startWithSAP is not true | cut at IDR pictures | 23009-1 5.3.3.2
D-09.range | error | indexRange is not the sidx | its exact octets | 23009-1 5.3.9.2
D-10.key | error | default_KID is not that of tenc | the same, with dashes | 23001-7 11.2
D-10.absent | error | encrypted media without ContentProtection | mp4protection:2011 with default_KID | 23009-1 5.8.4.1
D-11.role | warning | a text set without a Role | subtitle, caption or forced-subtitle | 23009-1 5.8.5.5
D-11.offset | error | text beside the media with presentationTimeOffset | times from the start of the Period | 23009-1 5.3.9.2
D-11.cea | error | captions of CEA-608 or 708 described wrongly | CC1=eng;CC3=swe, 1=lang:eng | SCTE 214-1
D-12.period | error | continuity with a Period that has no such set | id of an earlier Period, and the same set id | 23009-1 5.3.2.4
D-12.entry | error | continuity, and other media | the same codec, timescale and track_ID | 23009-1 5.3.2.4
D-14.complete | error | availabilityTimeOffset without availabilityTimeComplete false | both | 23009-1 5.3.9.2
D-14.latency | warning | a low-latency MPD without ServiceDescription Latency | write the target | 23009-1 K.3
D-15.size | note | an MPD beyond what DVB allows | 256 KiB, 64 Periods, 16 sets, 16 representations | DVB 4.5
D-13.low | error | @bandwidth is too low for minBufferTime | the leaky bucket's rate | IOP 3.2.8
D-13.high | note | @bandwidth is more than twice what is needed | the leaky bucket's rate | IOP 3.2.8
D-13.buffer | note | minBufferTime is shorter than the longest segment | at least as long | IOP 3.2.8
"""

_FORM = """
F-01.playlist | error | a playlist cannot be read | list what exists |
F-01.header | error | a header cannot be read | list what exists |
F-01.segment | error | a segment cannot be read | list what exists |
F-02.address | error | the file is not what it claims to be | |
F-02.playlist | error | a playlist is malformed | |
F-02.header | error | a header is malformed | |
F-02.segment | error | a segment is malformed | |
"""


def _rows(text: str) -> list[Check]:
    found = []
    for row in text.strip().splitlines():
        name, severity, wrong, remedy, *clause = (part.strip() for part in row.split("|"))
        found.append(
            Check(name, Severity(severity), wrong, remedy, clause[0] if clause else "")
        )
    return found


CHECKS = {
    check.id: check
    for table in (_HEADER, _SEGMENT, _TRANSPORT, _PLAYLIST, _DASH, _FORM)
    for check in _rows(table)
}
