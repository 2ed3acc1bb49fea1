-- Ends a try, unless another worker has the job by now. What is refused or unknown is set aside, who
-- is left gets another try later, and a job with nobody left is done.
-- KEYS: mail, mail:job:ID, mail:later, mail:refused, mail:unknown
-- ARGV: ID, worker, refused, why, unknown, why, left, tries, pause in ms
local mail, known, later = KEYS[1], KEYS[2], KEYS[3]
local id, left = ARGV[1], ARGV[7]
if #redis.call('XPENDING', mail, 'senders', id, id, 1, ARGV[2]) == 0 then return 0 end

local function set_aside(stream, to, why)
    local entry = redis.call('XRANGE', mail, id, id)[1]
    if why == '' or not entry then return end
    local fields = { 'job', id, 'to', to, 'why', why }
    for i = 1, #entry[2], 2 do
        local name, value = entry[2][i], entry[2][i + 1]
        if name == 'from' or name == 'data' or name == 'again' then
            table.insert(fields, name)
            table.insert(fields, value)
        end
    end
    redis.call('XADD', stream, '*', unpack(fields))
end

set_aside(KEYS[4], ARGV[3], ARGV[4])
set_aside(KEYS[5], ARGV[5], ARGV[6])
redis.call('XACK', mail, 'senders', id)
if left == '' then
    redis.call('XDEL', mail, id)
    redis.call('DEL', known)
else
    local time = redis.call('TIME')
    redis.call('ZADD', later, time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[9], id)
    redis.call('HDEL', known, 'begun')
    redis.call('HSET', known, 'to', left, 'tries', ARGV[8])
end
return 1
